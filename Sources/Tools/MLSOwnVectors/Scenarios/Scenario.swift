/// A story that a passive client reads.
struct Scenario: Sendable {
    let name: String
    let play: @Sendable (Stage) throws -> PassiveClientCase

    static let all = [
        psks, privateHandshakes, externalCommits, externalSenders, newMemberProposals, reInit, branch,
    ]
}
