import ConclaveProtocol
import MLS

@testable import WaxwingCore

/// Which commits the model accepts.
extension ModelServer {
    /// Someone who accepts a stale invite is still a member, without a Welcome.
    func isStale(_ invite: Invite, in group: Group) -> Bool {
        guard isStrict, let epoch = epochOf(invite.commit), let last = group.epoch else { return false }
        return epoch <= last
    }

    /// Takes someone off the roster, and puts what they say in a commit into the log.
    mutating func leave(_ leave: WireLeaveGroupRequest, _ group: Group, _ user: ID) throws {
        if !leave.commitMessage.isEmpty {
            try take(Array(leave.commitMessage), groupInfo: Array(leave.groupInfo), from: user, group.id)
        }
        groups[group.id]!.members.removeAll { $0 == user }
        for member in group.members where member != user {
            hints.append((member, .memberRemoved(group: group.id, user: user)))
        }
    }

    /// Accepts or refuses a commit under the ordering that is set.
    mutating func take(
        _ commit: [UInt8], groupInfo: [UInt8]?, from user: ID, _ id: ID, contesting rows: [UInt64] = [],
        tellSender: Bool = false
    ) throws {
        let group = groups[id]!
        var isCounted = true
        if isStrict, let epoch = epochOf(commit) {
            let isNext = group.epoch.map { [$0 + 1, (group.highest ?? $0) + 1].contains(epoch) } ?? true
            isCounted = isNext || group.members == [user]
            if isCounted {
                groups[id]!.epoch = epoch
                groups[id]!.highest = group.members == [user] ? epoch : max(epoch, group.highest ?? 0)
                groups[id]!.counted[epoch] = group.lastSequence + 1
            } else if !knowsContests || !(group.counted[epoch].map(rows.contains) ?? false) {
                throw Refusal.conflict
            }
        }
        append(commit, from: user, to: id)
        if isCounted, let groupInfo { groups[id]!.groupInfo = groupInfo }
        for member in group.members where member != user || tellSender {
            hints.append((member, .groupUpdate(group: id, kind: .commit)))
        }
    }

    /// A server that takes any member's word for the epoch the group is in.
    mutating func believe(_ groupInfo: [UInt8], of group: ID) {
        guard let epoch = try? MLSMessage.summary(of: groupInfo).epoch else { return }
        let last = epoch == 0 ? nil : epoch - 1
        groups[group]!.epoch = last
        groups[group]!.highest = [last, groups[group]!.highest].compactMap(\.self).max()
    }

    /// Version, wire format, group id, epoch.
    private func epochOf(_ message: [UInt8]) -> UInt64? {
        guard message.count > 5 else { return nil }
        let length = Int(message[4])
        guard length < 64, message.count >= 5 + length + 8 else { return nil }
        return message[(5 + length)..<(13 + length)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
