/// Messages of a member that never came, by the generations that were passed over (RFC 9420 §9.1).
package struct MissingMessages: Hashable, Sendable {
    /// As in that epoch.
    package let sender: Member
    /// At least so many: of a very long gap not all is known.
    package let count: UInt32
}

extension Group {
    /// What later messages of an epoch have passed over and what has not come since, by sender, in the order of the leaves.
    ///
    /// What comes after the last message of a sender nobody can miss. A message may be missing because it was never sent: its key was used for it
    /// all the same.
    /// - Parameter epoch: this one, or a past one of the window (``GroupConfiguration/pastEpochs``). Of all others nothing is known.
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
