import MLS
import Testing

@testable import WaxwingCore

/// What is remembered of commits that nobody has verified.
@Suite struct CommitLogTests {
    private func commit(_ epoch: UInt64, _ tag: UInt8, leaf: UInt8? = nil) -> LoggedCommit {
        LoggedCommit(
            epoch: epoch, tag: [UInt8](repeating: tag, count: 64), author: 0,
            leaf: leaf.map { [UInt8](repeating: $0, count: CommitLog.markLength) } ?? [])
    }

    @Test func aFloodDoesNotKeepOutTheCommitThatCounts() {
        var log = CommitLog()
        for tag in 0..<200 { log.note(commit(7, UInt8(tag))) }
        #expect(log[7].count == ClientLimits.commitsPerEpoch)
        var merged = commit(7, 255)
        merged.isValid = true
        log.note(merged)
        #expect(log[7].contains(merged))
        #expect(log[7].count == ClientLimits.commitsPerEpoch)
    }

    @Test func whatWeMergedIsNotDescribedByARowThatOnlyBearsItsTag() {
        var log = CommitLog()
        log.note(commit(7, 1, leaf: 99))
        var merged = commit(7, 1, leaf: 5)
        merged.isValid = true
        log.note(merged)
        #expect(log[7] == [merged])
    }

    @Test func farEpochsAreForgottenOnceTheGroupsOwnIsKnown() {
        var log = CommitLog()
        log.note(commit(3, 1))
        log.note(commit(3 + ClientLimits.epochsAhead, 2))
        log.note(commit(1 << 40, 3))
        log.forget(beyond: 3)
        #expect(log.commits.map(\.epoch) == [3, 3 + ClientLimits.epochsAhead])
    }

    @Test func theLogStaysSmallWhateverComes() {
        var log = CommitLog()
        for number in 0..<3_000 { log.note(commit(UInt64(number / 60), UInt8(number % 60))) }
        #expect(log.commits.count <= ClientLimits.loggedCommits)
        #expect(log.commits.last?.epoch == 49)
    }
}
