import ConclaveProtocol
import Foundation
import MLS
import SwiftProtobuf

/// The server's rules as a model in memory, without sockets, for worlds of clients in virtual time. It follows the same
/// protocol as the real one, with faults if a test asks for them.
struct ModelServer {
    struct User {
        var id: ID
        var name: String
        var keyPackages: [[UInt8]] = []
        var lastResort: [UInt8]?
    }

    struct Row {
        var sequence: UInt64
        var sender: ID
        var message: [UInt8]
        var time: UInt64
    }

    struct Invite {
        var id: ID
        var inviter: ID
        var invitee: ID
        var commit: [UInt8]
        var welcome: [UInt8]
        var groupInfo: [UInt8]
        var time: UInt64
    }

    struct Group {
        var id: ID
        var name: String
        var mlsGroupID = ""
        var members: [ID]
        var admins: Set<ID>
        var log: [Row] = []
        var lastSequence: UInt64 = 0
        var groupInfo: [UInt8] = []
        var invites: [Invite] = []
        /// The epoch of the last commit that was counted, and the row that was counted for each.
        var epoch: UInt64?
        var counted: [UInt64: UInt64] = [:]
        /// The highest epoch that was counted; above `epoch` if a GroupInfo has led back.
        var highest: UInt64?
        /// The confirmation tags that are known, by the epoch they lead into, and what single members said beyond that.
        var tags: [UInt64: Set<[UInt8]>] = [:]
        var vouched: [ID: ReadInfo] = [:]
    }

    var isStrict: Bool
    var time: UInt64 = 1_800_000_000
    /// Whether a repeated POST is recognized by its Idempotency-Key. The reference server does not know the header.
    var knowsIdempotencyKeys = true
    /// Whether a commit may contest the counted one. Other servers do not know the header.
    var knowsContests = true
    /// Whether the server looks into handshakes and GroupInfos. Other servers take any bytes.
    var readsHandshakes = true
    /// Whether a strict server takes a member's word, given as a GroupInfo, for the epoch the group is in.
    var believesGroupInfos = true
    var users: [ID: User] = [:]
    var groups: [ID: Group] = [:]
    private var welcomes: [(id: ID, user: ID, group: ID, message: [UInt8])] = []
    private var answers: [String: APIResponse] = [:]
    private var lastID: UInt64 = 0
    /// Events to be delivered, by user.
    var hints: [(user: ID, hint: ServerHint)] = []
    var rejectsTokens = false
    /// Welcomes stay on the list, acknowledged or not.
    var keepsWelcomes = false
    /// Rows that every member has fetched are deleted: a GET acknowledges what it returns, a POST all before it.
    var deletesWhatAllHave = false
    var acknowledged: [ID: [ID: UInt64]] = [:]
    /// Every body of POST messages that was accepted, in order.
    private(set) var posted: [[UInt8]] = []

    init(isStrict: Bool) { self.isStrict = isStrict }

    mutating func register(_ name: String) -> ID {
        let id = makeID()
        users[id] = User(id: id, name: name)
        return id
    }

    private mutating func makeID() -> ID {
        lastID += 1
        return ID(
            (0..<8).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
                + (0..<8).map { UInt8(truncatingIfNeeded: lastID >> (56 - 8 * UInt64($0))) })!
    }

    struct Refusal: Error {
        var status: Int
        var code: WireErrorCode

        static let notAdmin = Refusal(status: 401, code: .notAdmin)
        static let notMember = Refusal(status: 401, code: .notMember)
        static let notFound = Refusal(status: 404, code: .notFound)
        static let conflict = Refusal(status: 409, code: .conflict)
        static let badRequest = Refusal(status: 400, code: .badRequest)
    }

    /// The token is the user's id as text.
    mutating func answer(_ request: APIRequest) -> APIResponse {
        time += 1
        let idempotent =
            knowsIdempotencyKeys ? request.idempotencyKey.map { "\(request.token?.unwipedText ?? "") \($0)" } : nil
        if let idempotent, let known = answers[idempotent] { return known }
        let response: APIResponse
        do {
            guard let token = request.token, let user = ID(text: token.unwipedText), users[user] != nil, !rejectsTokens
            else {
                throw Refusal(status: 401, code: .tokenInvalid)
            }
            let body = try handle(request, user)
            response = APIResponse(status: 200, contentType: body.isEmpty ? "" : "application/x-protobuf", body: body)
        } catch let refusal as Refusal {
            var error = WireErrorResponse()
            error.message = "model says \(refusal.code)"
            error.errorCode = refusal.code
            response = APIResponse(
                status: refusal.status, contentType: "application/x-protobuf", body: try! bytes(error))
        } catch {
            response = APIResponse(status: 500, contentType: "", body: [])
        }
        // A refusal had no effect: its repeat is handled like a new request.
        if let idempotent, response.status < 300 { answers[idempotent] = response }
        return response
    }

    private func bytes(_ message: some Message) throws -> [UInt8] { try message.serializedBytes() }
    private func read<M: Message>(_ request: APIRequest, _: M.Type = M.self) throws -> M {
        try M(serializedBytes: request.body)
    }

    private mutating func handle(_ request: APIRequest, _ user: ID) throws -> [UInt8] {
        let path = request.path.replacingOccurrences(of: "/api/v1", with: "")
        let parts = path.split(separator: "/").map(String.init)
        switch (request.method, parts.first ?? "", parts.count) {
        case (.post, "key-packages", 1):
            let upload = try read(request, WireUploadKeyPackageRequest.self)
            for entry in upload.entries {
                if entry.isLastResort {
                    users[user]!.lastResort = Array(entry.data)
                } else if users[user]!.keyPackages.count < 10 {
                    users[user]!.keyPackages.append(Array(entry.data))
                }
            }
            return []
        case (.post, "reset-account", 1):
            forgetKeyPackages(of: user)
            return []
        case (.get, "users", 2): return try userInfo(users.values.first { $0.name == parts[1] })
        case (.get, "users", 3): return try userInfo(ID(text: parts[2]).flatMap { users[$0] })
        case (.get, "invites", 1):
            return try invitesAnswer(
                groups.values.flatMap { group in group.invites.map { (group, $0) } }.filter { $0.1.invitee == user })
        case (.post, "invites", 3): return try answerInvite(ID(text: parts[1])!, accept: parts[2] == "accept", user)
        case (.get, "welcomes", 1):
            var list = WireListPendingWelcomesResponse()
            list.welcomes = welcomes.filter { $0.user == user }.map { welcome in
                var wire = WirePendingWelcome()
                wire.welcomeID = Data(welcome.id.bytes)
                wire.groupID = Data(welcome.group.bytes)
                wire.welcomeMessage = Data(welcome.message)
                return wire
            }
            return try bytes(list)
        case (.post, "welcomes", 3):
            guard let index = welcomes.firstIndex(where: { $0.id.description == parts[1] && $0.user == user }) else {
                throw Refusal.notFound
            }
            if !keepsWelcomes { welcomes.remove(at: index) }
            return []
        case (.get, "groups", 1): return try groupList(user)
        case (.post, "groups", 1):
            let create = try read(request, WireCreateGroupRequest.self)
            if groups.values.contains(where: { $0.name == create.groupName }) { throw Refusal.conflict }
            let id = makeID()
            groups[id] = Group(id: id, name: create.groupName, members: [user], admins: [user])
            var answer = WireCreateGroupResponse()
            answer.groupID = Data(id.bytes)
            return try bytes(answer)
        case (_, "groups", 3):
            guard let id = ID(text: parts[1]), let group = groups[id] else { throw Refusal.notFound }
            guard group.members.contains(user) else { throw Refusal.notMember }
            return try handle(request, parts[2], group, user)
        default: throw Refusal.notFound
        }
    }

    private mutating func handle(_ request: APIRequest, _ verb: String, _ group: Group, _ user: ID) throws -> [UInt8] {
        switch verb {
        case "messages":
            if request.method == .get { return try page(request, group, user) }
            let message = try read(request, WireSendMessageRequest.self)
            try check(message: Array(message.mlsMessage), from: user, group)
            posted.append(Array(message.mlsMessage))
            let sequence = append(Array(message.mlsMessage), from: user, to: group.id)
            acknowledge(sequence, by: user, in: group.id)
            for member in group.members where member != user {
                hints.append((member, .newMessage(group: group.id, sequence: sequence, sender: user)))
            }
            var answer = WireSendMessageResponse()
            answer.sequenceNum = sequence
            return try bytes(answer)
        case "commit":
            let upload = try read(request, WireUploadCommitRequest.self)
            if !upload.mlsGroupID.isEmpty, group.mlsGroupID.isEmpty { groups[group.id]!.mlsGroupID = upload.mlsGroupID }
            if upload.commitMessage.isEmpty {
                try refresh(Array(upload.groupInfo), by: user, of: groups[group.id]!)
            } else {
                try check(
                    commit: Array(upload.commitMessage), groupInfo: Array(upload.groupInfo), from: user, group)
                try take(
                    Array(upload.commitMessage), groupInfo: Array(upload.groupInfo), from: user, group.id,
                    contesting: request.contests)
            }
            return []
        case "remove":
            let remove = try read(request, WireRemoveMemberRequest.self)
            guard let target = ID(remove.userID), group.members.contains(target) else { throw Refusal.badRequest }
            if !remove.commitMessage.isEmpty {
                try check(
                    commit: Array(remove.commitMessage), groupInfo: Array(remove.groupInfo), from: user, group)
                try take(
                    Array(remove.commitMessage), groupInfo: Array(remove.groupInfo), from: user, group.id,
                    contesting: request.contests)
            }
            groups[group.id]!.members.removeAll { $0 == target }
            for member in group.members { hints.append((member, .memberRemoved(group: group.id, user: target))) }
            return []
        case "leave":
            try leave(read(request, WireLeaveGroupRequest.self), group, user)
            return []
        case "promote":
            groups[group.id]!.admins.insert(ID(try read(request, WirePromoteMemberRequest.self).userID)!)
            return []
        case "group-info":
            guard !group.groupInfo.isEmpty else { throw Refusal.notFound }
            var answer = WireGetGroupInfoResponse()
            answer.groupInfo = Data(group.groupInfo)
            return try bytes(answer)
        case "external-join":
            let join = try read(request, WireExternalJoinRequest.self)
            try check(externalCommit: Array(join.commitMessage), from: user)
            try take(Array(join.commitMessage), groupInfo: nil, from: user, group.id)
            return []
        case "invite":
            let invite = try read(request, WireInviteToGroupRequest.self)
            var answer = WireInviteToGroupResponse()
            for raw in invite.userIds {
                guard let target = ID(raw), users[target] != nil else { throw Refusal.notFound }
                let keyPackage =
                    users[target]!.keyPackages.isEmpty
                    ? users[target]!.lastResort : users[target]!.keyPackages.removeFirst()
                guard let keyPackage else { throw Refusal.notFound }
                var entry = WireMemberKeyPackage()
                entry.userID = raw
                entry.keyPackageData = Data(keyPackage)
                answer.memberKeyPackages.append(entry)
            }
            return try bytes(answer)
        case "escrow-invite":
            let escrow = try read(request, WireEscrowInviteRequest.self)
            guard let invitee = ID(escrow.inviteeID) else { throw Refusal.badRequest }
            if group.members.contains(invitee) || group.invites.contains(where: { $0.invitee == invitee }) {
                throw Refusal.conflict
            }
            try check(commit: Array(escrow.commitMessage), groupInfo: Array(escrow.groupInfo), from: user, group)
            let id = makeID()
            groups[group.id]!.invites.append(
                Invite(
                    id: id, inviter: user, invitee: invitee, commit: Array(escrow.commitMessage),
                    welcome: Array(escrow.welcomeMessage), groupInfo: Array(escrow.groupInfo), time: time))
            hints.append((invitee, .inviteReceived(invite: id, group: group.id)))
            return []
        case "invites": return try invitesAnswer(group.invites.map { (group, $0) })
        case "cancel-invite":
            let cancel = try read(request, WireCancelInviteRequest.self)
            guard let index = group.invites.firstIndex(where: { Data($0.invitee.bytes) == cancel.inviteeID }) else {
                throw Refusal.notFound
            }
            let invite = groups[group.id]!.invites.remove(at: index)
            hints.append((invite.invitee, .inviteCancelled(group: group.id)))
            hints.append((invite.inviter, .inviteDeclined(group: group.id, user: invite.invitee)))
            return []
        default: throw Refusal.notFound
        }
    }

    private mutating func answerInvite(_ id: ID, accept: Bool, _ user: ID) throws -> [UInt8] {
        for group in groups.values {
            guard let index = group.invites.firstIndex(where: { $0.id == id }) else { continue }
            let invite = group.invites[index]
            guard invite.invitee == user else { throw Refusal.notMember }
            if accept {
                if isStale(invite, in: group) {
                    append(invite.commit, from: invite.inviter, to: group.id)
                    for member in group.members { hints.append((member, .groupUpdate(group: group.id, kind: .commit))) }
                } else {
                    try take(
                        invite.commit, groupInfo: invite.groupInfo, from: invite.inviter, group.id, tellSender: true)
                    welcomes.append((makeID(), user, group.id, invite.welcome))
                    hints.append((user, .welcome(group: group.id)))
                }
                groups[group.id]!.members.append(user)
            } else {
                hints.append((invite.inviter, .inviteDeclined(group: group.id, user: user)))
            }
            groups[group.id]!.invites.removeAll { $0.id == id }
            return []
        }
        throw Refusal.notFound
    }

    /// Puts rows into a log that no one sent.
    mutating func insert(_ rows: [[UInt8]], from user: ID, into group: ID) {
        for row in rows { append(row, from: user, to: group) }
    }

    /// Everything that a user's lost device had uploaded.
    mutating func forgetKeyPackages(of user: ID) {
        users[user]?.keyPackages = []
        users[user]?.lastResort = nil
    }

    /// Others have taken all but the one of last resort.
    mutating func useUpKeyPackages(of user: ID) { users[user]?.keyPackages = [] }

    @discardableResult
    mutating func append(_ message: [UInt8], from user: ID, to id: ID) -> UInt64 {
        groups[id]!.lastSequence += 1
        noteTag(of: message, in: id)
        groups[id]!.log.append(Row(sequence: groups[id]!.lastSequence, sender: user, message: message, time: time))
        return groups[id]!.lastSequence
    }

    private mutating func page(_ request: APIRequest, _ group: Group, _ user: ID) throws -> [UInt8] {
        let query = Dictionary(uniqueKeysWithValues: request.query.map { ($0.name, $0.value) })
        let after = UInt64(query["after"] ?? "0")!
        let limit = Int(query["limit"] ?? "100")!
        var answer = WireGetMessagesResponse()
        for row in group.log.filter({ $0.sequence > after }).prefix(limit) {
            var wire = WireStoredMessage()
            wire.sequenceNum = row.sequence
            wire.senderID = Data(row.sender.bytes)
            wire.mlsMessage = Data(row.message)
            wire.createdAt = row.time
            answer.messages.append(wire)
        }
        if let last = answer.messages.last { acknowledge(last.sequenceNum, by: user, in: group.id) }
        return try bytes(answer)
    }

    private func userInfo(_ user: User?) throws -> [UInt8] {
        guard let user else { throw Refusal.notFound }
        var info = WireUserInfoResponse()
        info.userID = Data(user.id.bytes)
        info.username = user.name
        return try bytes(info)
    }

    private func groupList(_ user: ID) throws -> [UInt8] {
        var list = WireListGroupsResponse()
        for group in groups.values.sorted(by: { $0.name < $1.name }) where group.members.contains(user) {
            var info = WireGroupInfo()
            info.groupID = Data(group.id.bytes)
            info.groupName = group.name
            info.mlsGroupID = group.mlsGroupID
            info.members = group.members.map { member in
                var wire = WireGroupMember()
                wire.userID = Data(member.bytes)
                wire.username = users[member]!.name
                wire.role = group.admins.contains(member) ? .admin : .member
                return wire
            }
            list.groups.append(info)
        }
        return try bytes(list)
    }

    private func invitesAnswer(_ invites: [(Group, Invite)]) throws -> [UInt8] {
        var list = WireListPendingInvitesResponse()
        list.invites = invites.map { group, invite in
            var wire = WirePendingInvite()
            wire.inviteID = Data(invite.id.bytes)
            wire.groupID = Data(group.id.bytes)
            wire.groupName = group.name
            wire.inviterID = Data(invite.inviter.bytes)
            wire.inviterUsername = users[invite.inviter]!.name
            wire.inviteeID = Data(invite.invitee.bytes)
            wire.createdAt = invite.time
            return wire
        }
        return try bytes(list)
    }
}
