/// Messages of a member that never came, counted by the generations that were skipped (RFC 9420 §9.1).
package struct MissingMessages: Hashable, Sendable {
    /// As in that epoch.
    package let sender: Member
    /// The minimum number: of a very long gap not all is known.
    package let count: UInt32
}

extension Group {
    /// The generations that later messages of an epoch have skipped and that have not come since, by sender, in the
    /// order of the leaves.
    ///
    /// What comes after a sender's last message cannot be noticed. A message may be missing because it was never sent:
    /// its key was used up all the same.
    /// - Parameter epoch: this one, or a past one of the window (``GroupConfiguration/pastEpochs``). Nothing is known
    ///   of others.
    package func missingMessages(inEpoch epoch: UInt64) -> [MissingMessages] {
        guard let skipped = messageKeys(ofEpoch: epoch)?.secretTree.skipped else { return [] }
        return skipped.compactMap { id, keys -> MissingMessages? in
            guard id.kind == .application, id.leaf != ownLeaf, !keys.isEmpty,
                let sender = member(at: id.leaf, inEpoch: epoch)
            else { return nil }
            return MissingMessages(sender: sender, count: UInt32(clamping: keys.count))
        }.sorted { $0.sender.index < $1.sender.index }
    }
}
