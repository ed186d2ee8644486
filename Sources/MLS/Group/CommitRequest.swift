/// What a member wants a commit to do.
struct CommitRequest {
    /// Made by this very commit.
    let proposals: [Proposal]
    let includePending: Bool
    let forcePath: Bool
    let authenticatedData: [UInt8]
    let inlineTree: Bool
    let psks: [PreSharedKey]
    let now: UInt64?
    var withGroupInfo = true
    /// What the committer's new leaf says about it; as before when nil.
    var profile: LeafNode.Profile?
    /// The key of the committer's new leaf; the present one when nil.
    var newSigner: SignaturePrivateKey?
    /// Anything but `application` is only for the first commit of a group that continues another one.
    var founding = ResumptionUsage.application

    var changesLeaf: Bool { profile != nil || newSigner != nil }
}
