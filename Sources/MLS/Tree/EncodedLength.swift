/// The encoded length of nodes, added up without encoding them: a tree updates the sum at every change.
extension Node {
    /// In bytes, with its type and the presence byte of its place in the ratchet_tree extension.
    var encodedLength: Int {
        switch self {
        case .leaf(let leaf): 2 + leaf.encodedLength
        case .parent(let parent):
            2 + vectorLength(parent.encryptionKey.count) + vectorLength(parent.parentHash.count)
                + vectorLength(parent.unmergedLeaves.count * 4)
        }
    }
}

extension LeafNode {
    /// In bytes.
    var encodedLength: Int { bytes.count }
}

/// The content with its length in front.
private func vectorLength(_ content: Int) -> Int {
    switch content {
    case ..<0x40: content + 1
    case ..<0x4000: content + 2
    default: content + 4
    }
}
