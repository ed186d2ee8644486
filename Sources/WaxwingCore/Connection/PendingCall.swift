import ConclaveProtocol

/// A request under way: how to read its answer, and what it was for.
enum PendingCall: Sendable {
    // The account's lane
    case groups(Call<[GroupSummary]>, round: UInt64)
    case invites(Call<[PendingInvite]>)
    case welcomes(Call<[PendingWelcome]>)
    case acceptWelcome(Call<Void>)
    case resetKeyPackages(Call<Void>)
    case uploadKeyPackages(Call<Void>, references: [[UInt8]], fullSet: Bool)
    case userName(Call<UserInfo>, ID)
    case groupInvites(Call<[PendingInvite]>, group: ID)

    // A group's lane
    case page(Call<[LogRow]>, PageRequest)
    case operation(OperationCall, group: ID, order: UInt64)

    struct PageRequest: Sendable {
        var group: ID
        var era: UInt32
        var after: UInt64
        var limit: Int
        /// The first row should be the one at the cursor.
        var overlap: Bool
        /// Asked only to see whether the server still numbers rows as it did.
        var isLook = false
    }

    var group: ID? {
        switch self {
        case .page(_, let request): request.group
        case .operation(_, let group, _): group
        default: nil
        }
    }
}

/// A request made for a row of the outbox.
enum OperationCall: Sendable {
    case message(Call<UInt64>, digest: [UInt8])
    case createGroup(Call<ID>)
    case findOwnGroup(Call<[GroupSummary]>)
    case commit(Call<Void>, digest: [UInt8])
    case compareGroupInfo(Call<[UInt8]>)
    case refreshGroupInfo(Call<Void>)
    case findUser(Call<UserInfo>)
    case takeKeyPackage(Call<[MemberKeyPackage]>, user: ID)
    case escrow(Call<Void>, digest: [UInt8], user: ID)
    case findEscrow(Call<[PendingInvite]>, digest: [UInt8], user: ID)
    /// The group's invites, before one of them is cancelled and made again.
    case lookBeforeRenewal(Call<[PendingInvite]>)
    case cancelInvite(Call<Void>, user: ID)
    case findInvite(Call<[PendingInvite]>, user: ID)
    case takeBack(Call<Void>, user: ID)
    case removeFromRoster(Call<Void>, user: ID)
    case leave(Call<Void>)
    case groupInfo(Call<[UInt8]>)
    case accept(Call<Void>, invite: ID)
    case welcomesForAccept(Call<[PendingWelcome]>, stale: Bool)
    case rosterForAccept(Call<[GroupSummary]>, stale: Bool)
    case decline(Call<Void>)

    var request: APIRequest {
        switch self {
        case .message(let call, _): call.request
        case .createGroup(let call): call.request
        case .findOwnGroup(let call), .rosterForAccept(let call, _): call.request
        case .commit(let call, _), .escrow(let call, _, _), .cancelInvite(let call, _): call.request
        case .refreshGroupInfo(let call), .leave(let call), .decline(let call), .accept(let call, _): call.request
        case .findUser(let call): call.request
        case .takeKeyPackage(let call, _): call.request
        case .findEscrow(let call, _, _), .lookBeforeRenewal(let call): call.request
        case .findInvite(let call, _): call.request
        case .takeBack(let call, _), .removeFromRoster(let call, _): call.request
        case .groupInfo(let call), .compareGroupInfo(let call): call.request
        case .welcomesForAccept(let call, _): call.request
        }
    }
}
