public import ConclaveProtocol

/// Why something that was asked for waits, or was refused for good.
///
/// Words for people are up to whoever shows it; ``token`` is for programs.
public enum Trouble: Hashable, Sendable {
    // MARK: The way to the server

    /// The server cannot be reached, or gives no answer that helps. `detail` is the transport's own sentence, without a
    /// full stop.
    case transport(TransportError.Cause, detail: String)
    /// The server refused: its HTTP status, its code if it gave one, and a sentence with the server's own words, which
    /// are a stranger's.
    case refused(status: Int, code: ErrorCode?, detail: String)
    /// The server ended the session.
    case sessionOver
    /// The connection ended before the server answered. The log will tell whether the request arrived.
    case connectionEnded
    /// The server accepted a commit without saying where it is. The log will tell whether it counts.
    case takenWithoutPlace
    /// The server has restarted the numbering of its log. The log will tell what arrived.
    case logCountsAnew

    // MARK: The group

    /// We are out of the group.
    case groupClosed(GroupEnd)
    /// We are out of the group, and no one is known to have read the message.
    case unread(GroupEnd)
    /// The server says that we are not a member.
    case notMember
    /// The keys of the group are missing. A rejoin brings them back.
    case keysMissing
    /// The group's keys do not allow it. `detail` is the engine's reason.
    case keysRefuse(detail: String)
    /// The commit cannot be made. `detail` is the engine's reason.
    case commitImpossible(detail: String)
    /// Another commit came first; this one is made again for the new epoch.
    case raceLost
    /// Someone new was added, and the server's list of members has to say so, too.
    case rosterAwaited
    /// The group gets new keys first.
    case newKeysFirst
    /// The group needs new keys first, and the server has refused them.
    case newKeysRefused
    /// The group is not created on the server yet.
    case groupNotCreated
    /// A group of this name already exists on the server.
    case groupNameTaken(String)

    // MARK: Coming back

    /// The server's GroupInfo is behind the log. A member has to sync and renew it.
    case groupInfoBehind
    /// The server has the GroupInfo of a dead commit. A member has to sync and renew it.
    case groupInfoDead
    /// The server's GroupInfo is one of another group.
    case groupInfoOfAnother
    /// The server's GroupInfo cannot be used. `detail` is the engine's code.
    case groupInfoUnusable(detail: String)
    /// The group has split, and which side lives is not clear yet.
    case groupSplit
    /// The way into the group may lead to a dead branch. Another member has to be online.
    case branchDoubtful

    // MARK: Inviting and removing

    /// The user is already a member.
    case alreadyMember
    /// The user is already invited: by this user, or by us if the name is empty.
    case alreadyInvited(by: String)
    /// This machine's clock is wrong: it says this, in Unix seconds.
    case clockWrong(now: UInt64)
    /// The server has no key package of this user.
    case noKeyPackage
    /// A key package that cannot be used. `detail` is the engine's reason.
    case keyPackageUnusable(detail: String)
    /// A key package whose lifetime has not begun or is over.
    case keyPackageExpired(KeyPackageLifetime)
    /// The engine made no Welcome for the invite.
    case inviteImpossible
    /// The server offers another key for the user than the one that was verified, or seen before.
    case otherKey(user: ID, wasVerified: Bool)
    /// The server knows no user of this name.
    case unknownUser
    /// The server was asked for this name, and named another user.
    case otherUserNamed(asked: String)
    /// The server says that the user is the account itself.
    case namedOurselves
    /// According to the server, this name belongs to a user who is known here by another one.
    case nameOfAnother(asked: String, user: ID)
    /// The user is neither a member nor invited.
    case neitherMemberNorInvited

    // MARK: Accepting

    /// The group has moved on since the invite, and an admin has to renew it.
    case inviteOutdated
    /// The invite is gone; another may come in its place.
    case inviteBeingRenewed
    /// The invite is gone: it was cancelled, or it expired.
    case inviteGone

    /// In words alone: a sentence that an earlier version stored, or an error that has no case of its own.
    case other(String)
}

/// How our part in a group ended. The raw value is part of the stored format.
public enum GroupEnd: UInt8, Hashable, Sendable, CaseIterable {
    /// A member or the server removed us.
    case removed = 1
    case left = 2
    case deleted = 3
    /// The group was never created on the server.
    case neverCreated = 4
    /// Another copy of this profile took our place.
    case copyTookOver = 5
    /// Another device of ours, or someone in our name, took our place.
    case placeTaken = 6
    /// Only history from an archive is here.
    case imported = 7

    var status: GroupRecord.Status {
        switch self {
        case .removed, .copyTookOver, .placeTaken: .removed
        case .left: .left
        case .deleted, .neverCreated: .deleted
        case .imported: .imported
        }
    }
}

/// What is known of a key package that is not valid now. Times are Unix seconds.
public struct KeyPackageLifetime: Hashable, Sendable {
    /// The user's name, empty if it is not known.
    public var name: String
    /// From when and until when it is valid; nil if the package does not say.
    public var notBefore: UInt64?
    public var notAfter: UInt64?
    /// The time when it was looked at, by the server's clock if that is known.
    public var now: UInt64
    /// What this machine's clock said, if it may be wrong.
    public var doubtfulClock: UInt64?

    public init(name: String, notBefore: UInt64?, notAfter: UInt64?, now: UInt64, doubtfulClock: UInt64?) {
        self.name = name
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.now = now
        self.doubtfulClock = doubtfulClock
    }

    /// Whether the clock of the user's machine was wrong when the package was made.
    public var wasMadeByWrongClock: Bool {
        notBefore.map { $0 > now } ?? false || notAfter.map { $0 < ServerClock.earliest } ?? false
    }
}

extension Trouble {
    /// Why something failed on the way to the server, or here.
    package init(explaining error: any Error) {
        switch error {
        case let error as TransportError: self.init(error)
        case let error as ProtocolError: self.init(error)
        default: self = .other("\(error)")
        }
    }

    /// What stopped a request on its way.
    package init(_ error: TransportError) { self = .transport(error.cause, detail: error.reason) }

    /// What the server, or something in its place, answered.
    package init(_ error: ProtocolError) {
        self =
            switch error.serverTrouble {
            case .asksToWait: .transport(.askedToWait, detail: error.reason)
            case .inTrouble: .transport(.serverTrouble, detail: error.reason)
            case .notOurs: .transport(.badAnswer, detail: error.reason)
            case nil where error.kind == .malformed: .transport(.badAnswer, detail: error.reason)
            case nil: .refused(status: error.status, code: error.code, detail: error.reason)
            }
    }

    /// A name for programs, which keeps its meaning. Causes and the server's codes have names of their own.
    public var token: String {
        switch self {
        case .transport(let cause, _): cause.rawValue
        case .refused(_, let code?, _): "refused.\(code.token)"
        case .refused(_, nil, _): "refused"
        case .sessionOver: "sessionOver"
        case .connectionEnded: "connectionEnded"
        case .takenWithoutPlace: "takenWithoutPlace"
        case .logCountsAnew: "logCountsAnew"
        case .groupClosed(let end): "groupClosed.\(end)"
        case .unread(let end): "unread.\(end)"
        case .notMember: "notMember"
        case .keysMissing: "keysMissing"
        case .keysRefuse: "keysRefuse"
        case .commitImpossible: "commitImpossible"
        case .raceLost: "raceLost"
        case .rosterAwaited: "rosterAwaited"
        case .newKeysFirst: "newKeysFirst"
        case .newKeysRefused: "newKeysRefused"
        case .groupNotCreated: "groupNotCreated"
        case .groupNameTaken: "groupNameTaken"
        case .groupInfoBehind: "groupInfoBehind"
        case .groupInfoDead: "groupInfoDead"
        case .groupInfoOfAnother: "groupInfoOfAnother"
        case .groupInfoUnusable: "groupInfoUnusable"
        case .groupSplit: "groupSplit"
        case .branchDoubtful: "branchDoubtful"
        case .alreadyMember: "alreadyMember"
        case .alreadyInvited: "alreadyInvited"
        case .clockWrong: "clockWrong"
        case .noKeyPackage: "noKeyPackage"
        case .keyPackageUnusable: "keyPackageUnusable"
        case .keyPackageExpired: "keyPackageExpired"
        case .inviteImpossible: "inviteImpossible"
        case .otherKey: "otherKey"
        case .unknownUser: "unknownUser"
        case .otherUserNamed: "otherUserNamed"
        case .namedOurselves: "namedOurselves"
        case .nameOfAnother: "nameOfAnother"
        case .neitherMemberNorInvited: "neitherMemberNorInvited"
        case .inviteOutdated: "inviteOutdated"
        case .inviteBeingRenewed: "inviteBeingRenewed"
        case .inviteGone: "inviteGone"
        case .other: "other"
        }
    }
}
