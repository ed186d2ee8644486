import ConclaveProtocol
import MLS

extension Trouble: TLSEncodable, TLSDecodable {
    package func encode(to writer: inout TLSWriter) {
        writer.write(tag)
        switch self {
        case .transport(let cause, let detail):
            writer.writeText(cause.rawValue)
            writer.writeText(detail)
        case .refused(let status, let code, let detail):
            writer.write(UInt32(clamping: status))
            writer.writeBool(code != nil)
            if let code { writer.write(UInt32(clamping: code.number)) }
            writer.writeText(detail)
        case .groupClosed(let end), .unread(let end): writer.write(end.rawValue)
        case .keysRefuse(let text), .commitImpossible(let text), .groupNameTaken(let text),
            .groupInfoUnusable(let text), .alreadyInvited(let text), .keyPackageUnusable(let text),
            .otherUserNamed(let text), .other(let text):
            writer.writeText(text)
        case .clockWrong(let now): writer.write(now)
        case .keyPackageExpired(let lifetime):
            writer.writeText(lifetime.name)
            writer.write(lifetime.now)
            for time in [lifetime.notBefore, lifetime.notAfter, lifetime.doubtfulClock] {
                writer.writeBool(time != nil)
                if let time { writer.write(time) }
            }
        case .otherKey(let user, let wasVerified):
            writer.writeID(user)
            writer.writeBool(wasVerified)
        case .nameOfAnother(let asked, let user):
            writer.writeText(asked)
            writer.writeID(user)
        case .sessionOver, .connectionEnded, .takenWithoutPlace, .logCountsAnew, .notMember, .keysMissing, .raceLost,
            .rosterAwaited, .newKeysFirst, .newKeysRefused, .groupInfoBehind, .groupInfoDead, .groupInfoOfAnother,
            .groupSplit, .branchDoubtful, .alreadyMember, .noKeyPackage, .inviteImpossible, .unknownUser,
            .namedOurselves, .neitherMemberNorInvited, .inviteOutdated, .inviteBeingRenewed, .inviteGone,
            .groupNotCreated:
            break
        }
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        let tag: UInt8 = try reader.read()
        if let plain = Self.plain.first(where: { $0.tag == tag }) {
            self = plain
            return
        }
        switch tag {
        case 0: self = .other(try reader.readText())
        case 1:
            let cause = TransportError.Cause(rawValue: try reader.readText()) ?? .other
            self = .transport(cause, detail: try reader.readText())
        case 2:
            let status = Int(try reader.read(UInt32.self))
            let code = try reader.readBool() ? ErrorCode(number: Int(try reader.read(UInt32.self))) : nil
            self = .refused(status: status, code: code, detail: try reader.readText())
        case 3: self = .groupClosed(try reader.readGroupEnd())
        case 4: self = .unread(try reader.readGroupEnd())
        case 5: self = .keysRefuse(detail: try reader.readText())
        case 6: self = .commitImpossible(detail: try reader.readText())
        case 7: self = .groupNameTaken(try reader.readText())
        case 8: self = .groupInfoUnusable(detail: try reader.readText())
        case 9: self = .alreadyInvited(by: try reader.readText())
        case 10: self = .clockWrong(now: try reader.read())
        case 11: self = .keyPackageUnusable(detail: try reader.readText())
        case 12:
            var lifetime = KeyPackageLifetime(
                name: try reader.readText(), notBefore: nil, notAfter: nil, now: try reader.read(), doubtfulClock: nil)
            lifetime.notBefore = try reader.readBool() ? try reader.read() : nil
            lifetime.notAfter = try reader.readBool() ? try reader.read() : nil
            lifetime.doubtfulClock = try reader.readBool() ? try reader.read() : nil
            self = .keyPackageExpired(lifetime)
        case 13: self = .otherKey(user: try reader.readID(), wasVerified: try reader.readBool())
        case 14: self = .otherUserNamed(asked: try reader.readText())
        case 15: self = .nameOfAnother(asked: try reader.readText(), user: try reader.readID())
        default: throw MLSError(.malformed, "unknown trouble")
        }
    }

    /// Those without anything to add.
    static let plain: [Trouble] = [
        .sessionOver, .connectionEnded, .takenWithoutPlace, .logCountsAnew, .notMember, .keysMissing, .raceLost,
        .rosterAwaited, .newKeysFirst, .newKeysRefused, .groupInfoBehind, .groupInfoDead, .groupInfoOfAnother,
        .groupSplit, .branchDoubtful, .alreadyMember, .noKeyPackage, .inviteImpossible, .unknownUser, .namedOurselves,
        .neitherMemberNorInvited, .inviteOutdated, .inviteBeingRenewed, .inviteGone, .groupNotCreated,
    ]

    /// Part of the stored format: those with something to add are below 64.
    private var tag: UInt8 {
        switch self {
        case .other: 0
        case .transport: 1
        case .refused: 2
        case .groupClosed: 3
        case .unread: 4
        case .keysRefuse: 5
        case .commitImpossible: 6
        case .groupNameTaken: 7
        case .groupInfoUnusable: 8
        case .alreadyInvited: 9
        case .clockWrong: 10
        case .keyPackageUnusable: 11
        case .keyPackageExpired: 12
        case .otherKey: 13
        case .otherUserNamed: 14
        case .nameOfAnother: 15
        case .sessionOver: 64
        case .connectionEnded: 65
        case .takenWithoutPlace: 66
        case .logCountsAnew: 67
        case .notMember: 68
        case .keysMissing: 69
        case .raceLost: 70
        case .rosterAwaited: 71
        case .newKeysFirst: 72
        case .newKeysRefused: 73
        case .groupInfoBehind: 74
        case .groupInfoDead: 75
        case .groupInfoOfAnother: 76
        case .groupSplit: 77
        case .branchDoubtful: 78
        case .alreadyMember: 79
        case .noKeyPackage: 80
        case .inviteImpossible: 81
        case .unknownUser: 82
        case .namedOurselves: 83
        case .neitherMemberNorInvited: 84
        case .inviteOutdated: 85
        case .inviteBeingRenewed: 86
        case .inviteGone: 87
        case .groupNotCreated: 88
        }
    }
}

extension TLSReader {
    fileprivate mutating func readGroupEnd() throws(MLSError) -> GroupEnd {
        guard let end = GroupEnd(rawValue: try read()) else { throw MLSError(.malformed, "unknown end of a group") }
        return end
    }
}

// MARK: Sentences of version 0.1

extension Trouble {
    /// Version 0.1 stored a sentence for people.
    init(sentence: String) { self = Self.sentences[sentence] ?? .other(sentence) }

    /// Nil for the empty sentence, which said that there was no trouble.
    static func waiting(sentence: String) -> Trouble? { sentence.isEmpty ? nil : Trouble(sentence: sentence) }

    private static let sentences: [String: Trouble] = [
        "the server ended the session": .sessionOver,
        "the connection ended before the server answered; the log will tell whether it arrived": .connectionEnded,
        "the server took it; the group's log will tell whether it counts": .takenWithoutPlace,
        "the server counts anew; the log will tell what arrived": .logCountsAnew,
        "you are no longer a member of this group": .groupClosed(.removed),
        "you left the group": .groupClosed(.left),
        "the group was deleted": .groupClosed(.deleted),
        "the group was not created": .groupClosed(.neverCreated),
        "another copy of this profile has taken its place in the group": .groupClosed(.copyTookOver),
        "another device of yours, or somebody in your name, is in your place": .groupClosed(.placeTaken),
        "the server says you are not a member of this group": .notMember,
        "the keys of this group are missing; `waxwing group rejoin` brings them back": .keysMissing,
        "the group is not created yet": .groupNotCreated,
        "the keys of this group are missing": .keysMissing,
        "another commit came first, this one is being made anew": .raceLost,
        "it waits for the server's list of members: somebody new was added to the group": .rosterAwaited,
        "the group gets new keys first": .newKeysFirst,
        "the group needs new keys first, and the server has refused them: change them again": .newKeysRefused,
        "the server's GroupInfo is behind the log; it waits for a member of the group to sync and renew it":
            .groupInfoBehind,
        "the server has the GroupInfo of a dead commit; it waits for a member of the group to sync and renew it":
            .groupInfoDead,
        "the server's GroupInfo is for another group": .groupInfoOfAnother,
        "the group has split, and it is not clear which side lives; looking once more": .groupSplit,
        "the way into the group may lead to a dead branch: it waits for another member to be online": .branchDoubtful,
        "already a member": .alreadyMember,
        "already invited": .alreadyInvited(by: ""),
        "the server has no key package of this user: they have to log in once more": .noKeyPackage,
        "the invite could not be made": .inviteImpossible,
        "the server knows no user of this name": .unknownUser,
        "the server says that this is you": .namedOurselves,
        "neither a member of the group nor invited to it": .neitherMemberNorInvited,
        "the group moved on since the invite; it waits for an admin to renew it": .inviteOutdated,
        "the invite is gone; looking for another in its place": .inviteBeingRenewed,
        "the invite is gone: it was cancelled, or it expired": .inviteGone,
    ]
}
