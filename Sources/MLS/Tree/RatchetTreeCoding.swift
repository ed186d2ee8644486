/// The ratchet_tree extension (RFC 9420 §12.4.3.3): `optional<Node> ratchet_tree<V>`, without the blanks at the right
/// end.
extension RatchetTree: TLSEncodable, TLSDecodable {
    /// Reads a tree; ``validate(groupID:extensions:now:crypto:)`` checks whether it is valid for a group.
    ///
    /// - Throws: `malformed`, `tooLarge`; `invalidTree` for a leaf where a parent belongs or the other way round, and
    ///   for a blank at the right end.
    package init(from reader: inout TLSReader) throws(MLSError) {
        var content = try reader.readSubReader()
        var nodes: [Node?] = []
        while !content.isAtEnd {
            if nodes.count >= Int(Limits.leaves) * 2 - 1 { throw MLSError(.tooLarge, "a tree of too many nodes") }
            nodes.append(try content.readOptional(Node.self))
        }
        try self.init(nodes: nodes)
    }

    init(nodes: [Node?]) throws(MLSError) {
        self.init()
        guard let last = nodes.last else { throw MLSError(.invalidTree, "a tree without nodes") }
        if last == nil { throw MLSError(.invalidTree, "a tree ends with a blank") }
        resize(leaves: UInt32(nodes.count / 2) + 1)
        for (position, node) in nodes.enumerated() {
            guard let node else { continue }
            let index = NodeIndex(UInt32(position))
            switch node {
            case .leaf where index.isLeaf, .parent where !index.isLeaf: set(node, at: index)
            default: throw MLSError(.invalidTree, "\(index) is of the wrong type")
            }
        }
    }

    package func encode(to writer: inout TLSWriter) {
        var end = size.nodeCount
        while end > 0, self[NodeIndex(end - 1)] == nil { end -= 1 }
        writer.reserve(nodesLength + Int(size.nodeCount) + 8)
        writer.writeVector { writer in
            for index in 0..<end { writer.writeOptional(self[NodeIndex(index)]) }
        }
    }
}
