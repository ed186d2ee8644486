/// Counts what the members of a group support, so that "do all members support it?" needs no walk over the members.
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
        Self.change(&credentials, leaf.capabilities.credentials, by: step)
        Self.change(&extensions, leaf.capabilities.extensions, by: step)
        Self.change(&proposals, leaf.capabilities.proposals, by: step)
    }

    /// A type that is listed twice still counts for one member.
    private static func change<T>(_ counts: inout [T: Int], _ types: [T], by step: Int) {
        if types.count < 2 {
            for type in types { change(&counts, type, by: step) }
        } else {
            for type in Set(types) { change(&counts, type, by: step) }
        }
    }

    private static func change<T>(_ counts: inout [T: Int], _ type: T, by step: Int) {
        let count = counts[type, default: 0] + step
        counts[type] = count == 0 ? nil : count
    }
}
