/// Resolutions and paths (RFC 9420 §4.1).
extension RatchetTree {
    /// The fewest non-blank nodes that cover all members below a node (RFC 9420 §4.1.1), from the left.
    package func resolution(of index: NodeIndex) -> [NodeIndex] {
        var nodes: [NodeIndex] = []
        appendResolution(of: index, to: &nodes)
        return nodes
    }

    /// The resolution without leaves that are new, which learn their secrets from a Welcome (RFC 9420 §7.5).
    func resolution(of index: NodeIndex, excluding newLeaves: Set<LeafIndex>) -> [NodeIndex] {
        let all = resolution(of: index)
        if newLeaves.isEmpty { return all }
        return all.filter { node in node.leaf.map { !newLeaves.contains($0) } ?? true }
    }

    /// Whether there are no members below a node.
    func isEmptyResolution(of index: NodeIndex) -> Bool {
        if self[index] != nil { return false }
        guard let left = index.left, let right = index.right else { return true }
        return isEmptyResolution(of: left) && isEmptyResolution(of: right)
    }

    /// A node of a filtered direct path, and its child on the other side of it.
    package struct PathStep: Hashable, Sendable {
        package let node: NodeIndex
        package let copath: NodeIndex
    }

    /// The direct path of a leaf without the nodes that have no members below their other child (RFC 9420 §4.1.2),
    /// bottom to root.
    package func filteredDirectPath(of leaf: LeafIndex) -> [PathStep] {
        var steps: [PathStep] = []
        var child = leaf.node
        for node in size.directPath(of: child) {
            if !isEmptyResolution(of: child.sibling) { steps.append(PathStep(node: node, copath: child.sibling)) }
            child = node
        }
        return steps
    }

    private func appendResolution(of index: NodeIndex, to nodes: inout [NodeIndex]) {
        switch self[index] {
        case .leaf:
            nodes.append(index)
        case .parent(let parent):
            nodes.append(index)
            nodes += parent.unmergedLeaves.map(\.node)
        case nil:
            guard let left = index.left, let right = index.right else { return }
            appendResolution(of: left, to: &nodes)
            appendResolution(of: right, to: &nodes)
        }
    }
}
