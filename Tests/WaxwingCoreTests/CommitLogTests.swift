import MLS
import Testing

@testable import WaxwingCore

/// What is remembered of commits that no one has verified.
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

    /// Two commits of one epoch after one that belongs to a branch which was already dead: the earlier of the two
    /// counts.
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

    /// We joined by a commit that came too late, and ours comes first in its epoch, as the others went on after that.
    /// Someone who may be on a dead branch proves nothing by being the first there.
    @Test(arguments: [true, false], [true, false])
    func whatIsFirstBehindADeadOneCountsNothing(oursMayBeDead: Bool, isFirstGone: Bool) {
        var log = CommitLog()
        let mark = { (value: UInt8) in [UInt8](repeating: value, count: CommitLog.markLength) }
        func note(_ epoch: UInt64, _ sequence: UInt64, author: UInt32?, leaf: UInt8) {
            log.note(
                LoggedCommit(
                    epoch: epoch, tag: [UInt8](repeating: leaf, count: 64),
                    place: LoggedCommit.Place(era: 0, sequence: sequence), author: author, leaf: mark(leaf)))
        }
        // Both came by the second of epoch 5. One no longer shows it, which says nothing against the other.
        note(5, 7, author: 6, leaf: 6)
        note(5, 8, author: 4, leaf: 7)
        note(6, 9, author: 6, leaf: 8)
        note(7, 10, author: 1, leaf: 1)
        note(7, 11, author: 2, leaf: 2)
        note(8, 12, author: nil, leaf: 3)
        note(8, 13, author: isFirstGone ? 1 : 3, leaf: 4)
        note(9, 14, author: 3, leaf: 5)
        let dead = Branch(epoch: 9, tag: [UInt8](repeating: 3, count: 64), leaves: Set([8, 2, 3].map(mark)))
        let living = Branch(
            epoch: 10, tag: [UInt8](repeating: 5, count: 64),
            leaves: Set((isFirstGone ? [7, 8, 4, 5] : [7, 8, 1, 4, 5]).map(mark)))
        let (ours, theirs) = oursMayBeDead ? (dead, living) : (living, dead)
        let isLiving = log.isLiving(theirs, not: ours, base: 8, entry: .unproven)
        #expect(isLiving == (isFirstGone ? nil : oursMayBeDead))
        #expect(log.speaks(against: ours, not: theirs, base: 8))
    }

    /// Someone applied a commit that never came into the log, and went on alone with two others before everyone else
    /// did: both are dead, and that the second one comes first in its epoch says nothing new.
    @Test(arguments: [false, true])
    func whoHasLeftTheOthersGoesOnAlone(strayCameInAgain: Bool) {
        var log = CommitLog()
        let mark = { (value: UInt8) in [UInt8](repeating: value, count: CommitLog.markLength) }
        func note(_ epoch: UInt64, _ sequence: UInt64, author: UInt32?, leaf: UInt8, clears: [UInt32] = []) {
            log.note(
                LoggedCommit(
                    epoch: epoch, tag: [UInt8](repeating: leaf, count: 64),
                    place: LoggedCommit.Place(era: 0, sequence: sequence), author: author, leaf: mark(leaf),
                    clears: clears))
        }
        note(7, 10, author: 0, leaf: 1)
        note(7, 13, author: 1, leaf: 2)
        if strayCameInAgain {
            // On the branch again: a commit of theirs that comes first in its epoch counts.
            note(8, 14, author: 2, leaf: 3)
            note(9, 15, author: nil, leaf: 4, clears: [0])
            note(10, 12, author: 0, leaf: 5)
            note(10, 16, author: 1, leaf: 6)
        } else {
            note(8, 12, author: 0, leaf: 5)
            note(8, 14, author: 2, leaf: 3)
        }
        let last = log.commits.map(\.epoch).max() ?? 0
        let branch = Branch(
            epoch: last + 1, tag: [UInt8](repeating: strayCameInAgain ? 6 : 3, count: 64),
            leaves: Set([2, 3, 4, 6].map(mark)))
        #expect(log.fit(of: branch, isVouchedFor: true) == (strayCameInAgain ? .dead : .doubtful))
    }

    /// All three commit at once, and the first had left the others before. The two that are left go on together by the
    /// second one's commit.
    @Test(arguments: [false, true], [false, true])
    func whoLostARaceMayGoOnWithTheOthers(goesOn: Bool, stepIsKnown: Bool) {
        var log = CommitLog()
        let mark = { (value: UInt8) in [UInt8](repeating: value, count: CommitLog.markLength) }
        func note(_ epoch: UInt64, _ sequence: UInt64, author: UInt32, leaf: UInt8) {
            log.note(
                LoggedCommit(
                    epoch: epoch, tag: [UInt8](repeating: leaf, count: 64),
                    place: LoggedCommit.Place(era: 0, sequence: sequence), author: author, leaf: mark(leaf)))
        }
        for (author, leaf) in [(2, 1), (1, 2), (0, 3)] as [(UInt32, UInt8)] {
            note(7, 16 + UInt64(leaf), author: author, leaf: leaf)
        }
        note(8, 20, author: goesOn ? 0 : 1, leaf: 4)
        note(9, 21, author: 1, leaf: 5)
        // The leaf of the second one's commit is gone if they have committed again since.
        let leaves = Set(([4, 5] + (stepIsKnown ? [2] : [])).map(mark))
        let branch = Branch(epoch: 10, tag: [UInt8](repeating: 5, count: 64), leaves: leaves)
        #expect(log.fit(of: branch, isVouchedFor: true) == (goesOn ? .doubtful : .dead))
    }
}
