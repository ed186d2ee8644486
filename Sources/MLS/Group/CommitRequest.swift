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
    /// Anything but `application` only for the first commit of a group that goes on from another one.
    var founding = ResumptionUsage.application
}
