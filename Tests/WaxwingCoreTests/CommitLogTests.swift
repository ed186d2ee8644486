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

    /// Two commits of one epoch behind one that belongs to a branch which was dead already: the earlier of the two counts.
    @Test(arguments: [true, false])
    func ofTwoBehindADeadOneTheEarlierCounts(oursIsEarlier: Bool) throws {
        var log = CommitLog()
        let marks = (1...3).map { [UInt8](repeating: $0, count: CommitLog.markLength) }
        for (index, mark) in marks.enumerated() {
            var commit = commit(12, UInt8(index + 1), leaf: mark[0])
            commit.place = LoggedCommit.Place(era: 0, sequence: UInt64(21 + index))
            log.note(commit)
        }
        let earlier = Branch(epoch: 13, tag: [UInt8](repeating: 2, count: 64), leaves: [marks[1]])
        let later = Branch(epoch: 14, tag: [UInt8](repeating: 9, count: 64), leaves: [marks[2]])
        let (ours, theirs) = oursIsEarlier ? (earlier, later) : (later, earlier)
        #expect(log.isLiving(theirs, not: ours, base: 13, entry: .unproven) == !oursIsEarlier)
    }
}
