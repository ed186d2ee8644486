/// What the leaves of a group owe each other and the group's context (RFC 9420 §7.3).
///
/// Signatures and lifetimes are checked where a leaf node comes from; here it is about how it fits the others.
struct MemberRules {
    private let extensionTypes: [ExtensionType]
    private let required: RequiredCapabilities?

    /// - Throws: `malformed` when the required_capabilities cannot be read.
    init(context: GroupContext) throws(MLSError) {
        extensionTypes = context.extensions.map(\.type)
        required = try context.extensions.requiredCapabilities()
    }

    /// - Parameters:
    ///   - changed: leaves that are new; the others are known to fit the context.
    ///   - checkAll: whether the context has changed, so that every leaf must be looked at again.
    /// - Throws: `invalidLeafNode`.
    func check(_ tree: RatchetTree, changed: Set<LeafIndex>, checkAll: Bool) throws(MLSError) {
        if checkAll {
            for (_, leaf) in tree.members { try check(leaf) }
        } else {
            for index in changed {
                if let leaf = tree[index] { try check(leaf) }
            }
        }
        if tree.signatureKeys.repeated > 0 {
            throw MLSError(.invalidLeafNode, "two members have one signature key")
        }
        if tree.encryptionKeys.repeated > 0 {
            throw MLSError(.invalidLeafNode, "two nodes have one encryption key")
        }
        for type in tree.tally.credentialTypesInUse where !tree.tally.allSupport(type) {
            throw MLSError(.invalidLeafNode, "a member does not support credential type \(type.rawValue), which is in use")
        }
    }

    private func check(_ leaf: LeafNode) throws(MLSError) {
        try leaf.checkOwnExtensions()
        if let required, !leaf.capabilities.satisfy(required) {
            throw MLSError(.invalidLeafNode, "a leaf node without a required capability")
        }
        if !extensionTypes.allSatisfy(leaf.capabilities.supports) {
            throw MLSError(.invalidLeafNode, "a leaf node without support for an extension of the group")
        }
    }
}
