/// What the members of a group support, counted, so that "do all members support it?" needs no walk over the members.
struct SupportTally: Sendable {
    private(set) var members = 0
    private var credentialsInUse: [CredentialType: Int] = [:]
    private var credentials: [CredentialType: Int] = [:]
    private var extensions: [ExtensionType: Int] = [:]
    private var proposals: [ProposalType: Int] = [:]

    mutating func add(_ leaf: LeafNode) { count(leaf, by: 1) }
    mutating func remove(_ leaf: LeafNode) { count(leaf, by: -1) }

    func allSupport(_ type: CredentialType) -> Bool { credentials[type, default: 0] == members }
    func allSupport(_ type: ExtensionType) -> Bool { type.isDefault || extensions[type, default: 0] == members }
    func allSupport(_ type: ProposalType) -> Bool { type.isDefault || proposals[type, default: 0] == members }

    var credentialTypesInUse: some Collection<CredentialType> { credentialsInUse.keys }

    private mutating func count(_ leaf: LeafNode, by step: Int) {
        members += step
        Self.change(&credentialsInUse, [leaf.credential.type], by: step)
        // A type that is listed twice still counts for one member.
        Self.change(&credentials, Set(leaf.capabilities.credentials), by: step)
        Self.change(&extensions, Set(leaf.capabilities.extensions), by: step)
        Self.change(&proposals, Set(leaf.capabilities.proposals), by: step)
    }

    private static func change<T>(_ counts: inout [T: Int], _ types: Set<T>, by step: Int) {
        for type in types {
            let count = counts[type, default: 0] + step
            counts[type] = count == 0 ? nil : count
        }
    }
}
