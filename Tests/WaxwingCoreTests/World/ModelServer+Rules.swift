import ConclaveProtocol
import MLS

@testable import WaxwingCore

/// What the model's server reads in handshakes and GroupInfos, and refuses because of it.
extension ModelServer {
    /// A commit by a member.
    func check(commit: [UInt8], groupInfo: [UInt8], from user: ID, _ group: Group) throws {
        guard readsHandshakes else { return }
        let (content, tag) = try readCommit(commit)
        guard case .member = content.sender, case .commit(let body) = content.body else { throw Refusal.badRequest }
        for case .proposal(let proposal) in body.proposals {
            switch proposal {
            case .remove: break
            case .add, .groupContextExtensions:
                if !group.admins.contains(user) { throw Refusal.notAdmin }
            case .update, .preSharedKey, .reInit, .externalInit: throw Refusal.badRequest
            }
        }
        guard !groupInfo.isEmpty else { return }
        let info = try readGroupInfo(groupInfo, of: group)
        guard info.epoch == content.epoch + 1, info.tag == tag else { throw Refusal.badRequest }
    }

    func check(externalCommit commit: [UInt8], from user: ID) throws {
        guard readsHandshakes else { return }
        guard case .commit(let body) = try readCommit(commit).content.body,
            case .newMemberCommit = try readCommit(commit).content.sender,
            body.path?.leafNode.credential == .basic(identity: user.bytes)
        else { throw Refusal.badRequest }
    }

    /// Anything but a commit, or a proposal that the sender may not make.
    func check(message: [UInt8], from user: ID, _ group: Group) throws {
        guard readsHandshakes, let message = try? MLSMessage(decoding: message) else { return }
        switch message {
        case .privateMessage(let message):
            if message.contentType != .application { throw Refusal.badRequest }
        case .publicMessage(let message):
            guard case .proposal(let proposal) = message.content.body else {
                if case .application = message.content.body { return }
                throw Refusal.badRequest
            }
            guard let leaf = message.content.sender.member else { throw Refusal.badRequest }
            switch proposal {
            case .update: break
            case .remove(leaf): break
            case .remove, .add, .groupContextExtensions:
                if !group.admins.contains(user) { throw Refusal.notAdmin }
            case .preSharedKey, .reInit, .externalInit: throw Refusal.badRequest
            }
        case .welcome, .groupInfo, .keyPackage: break
        }
    }

    /// A GroupInfo without a commit.
    mutating func refresh(_ groupInfo: [UInt8], by user: ID, of group: Group) throws {
        if readsHandshakes {
            let info = try readGroupInfo(groupInfo, of: group)
            guard try isKnown(info, in: group) || isBelieved(info, of: group, by: user) else { return }
            note(tag: info.tag, into: info.epoch, of: group.id)
        }
        groups[group.id]!.groupInfo = groupInfo
        if isStrict, believesGroupInfos { believe(groupInfo, of: group.id) }
    }

    /// Whether a member's word is enough for a state to which, as far as the server knows, no commit led: it was
    /// restored.
    private mutating func isBelieved(_ info: ReadInfo, of group: Group, by user: ID) throws -> Bool {
        if group.members == [user] { return true }
        guard info.epoch > (group.highest ?? 0) + 1 else {
            if isStrict { throw Refusal.conflict }
            return false
        }
        let others = group.vouched.filter { $0.key != user }.values
        groups[group.id]!.vouched[user] = info
        return group.admins.contains(user) || others.contains(info)
    }

    /// What identifies a GroupInfo.
    struct ReadInfo: Hashable {
        let epoch: UInt64
        let tag: [UInt8]
    }

    private func readGroupInfo(_ groupInfo: [UInt8], of group: Group) throws -> ReadInfo {
        guard case .groupInfo(let info)? = try? MLSMessage(decoding: groupInfo),
            group.mlsGroupID.isEmpty || hexEncode(info.context.groupID) == group.mlsGroupID
        else { throw Refusal.badRequest }
        return ReadInfo(epoch: info.context.epoch, tag: info.confirmationTag)
    }

    private func readCommit(_ commit: [UInt8]) throws -> (content: FramedContent, tag: [UInt8]) {
        guard case .publicMessage(let message)? = try? MLSMessage(decoding: commit),
            case .commit = message.content.body, let tag = message.auth.confirmationTag
        else { throw Refusal.badRequest }
        return (message.content, tag)
    }

    // MARK: Tags

    private func isKnown(_ info: ReadInfo, in group: Group) throws -> Bool {
        group.tags[info.epoch]?.contains(info.tag) ?? false
    }

    /// Of a row of the log, if that is a commit.
    mutating func noteTag(of row: [UInt8], in group: ID) {
        guard let (content, tag) = try? readCommit(row) else { return }
        note(tag: tag, into: content.epoch &+ 1, of: group)
    }

    private mutating func note(tag: [UInt8], into epoch: UInt64, of group: ID) {
        groups[group]!.tags[epoch, default: []].insert(tag)
    }
}
