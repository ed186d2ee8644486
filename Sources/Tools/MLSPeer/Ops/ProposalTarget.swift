import MLS

/// What has to be known of a group to make a proposal for it.
struct ProposalTarget {
    let suite: CipherSuite
    let groupID: [UInt8]
    /// The leaf of the member with that identity; nil for no one.
    let leaf: ([UInt8]) throws -> LeafIndex?

    init(_ group: Group) {
        suite = group.suite
        groupID = group.groupID
        leaf = { group.member(identity: $0)?.index }
    }

    /// Members are found by identity if the GroupInfo brings the ratchet tree.
    init(_ info: GroupInfo) {
        suite = info.context.suite
        groupID = info.context.groupID
        leaf = { identity in
            guard let encoded = info.extensions[.ratchetTree] else {
                throw PeerError("the GroupInfo has no ratchet tree to find an identity in")
            }
            let tree = try RatchetTree(decoding: encoded)
            return tree.members.first { $0.1.credential == .basic(identity: identity) }?.0
        }
    }
}
