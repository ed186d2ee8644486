import Age
import Archive
import ConclaveProtocol
import Testing
import WaxwingCore

/// What was archived comes back, every field of it, in order.
@Suite struct RoundTripTests {
    @Test(arguments: [0, 1, 60, 2500])
    func everyFieldComesBack(_ count: Int) throws {
        let (contents, rows) = (Sample.contents(), Sample.rows(count))
        let (file, summary) = try Sample.write(contents, rows)
        #expect(summary.rows == UInt64(2 * count))
        let reader = try Sample.read(file)
        let report = try reader.verify(Sample.verify)
        #expect(report.end == summary.end && report.rows == summary.rows)
        #expect(try reader.members() == Sample.users.sorted { $0.id < $1.id })
        #expect(reader.trailer.waiting == 2 && reader.trailer.newest == rows.map(\.time).max())
        let back = try Sample.allRows(file)
        if count == 0 { return #expect(back.isEmpty) }
        #expect(back == [Sample.id(1): rows, Sample.id(2): rows])
        #expect(reader.trailer.groups.map(\.rows) == [UInt64(count), UInt64(count)])
        #expect(summary.end.last[Sample.id(1)] == .init(era: 0, sequence: UInt64(count)))
    }

    /// As long as a text can be to get through the server, of characters that take the most room in one file or the
    /// other.
    @Test(arguments: ["\u{1}", "\u{FFFD}", "<"])
    func theLongestTextsComeBack(_ sign: String) throws {
        var rows = Sample.rows(6)
        rows[2].content = .text(String(repeating: sign, count: 1 << 20))
        let file = try Sample.write(Sample.contents(groups: [1]), rows).file
        #expect(try Sample.allRows(file) == [Sample.id(1): rows])
        let found = try Sample.read(file).rows(of: Sample.id(1), from: .init(era: 0, sequence: 3), limit: 1)
        #expect(found == [rows[2]])
    }

    @Test func theSameStateGivesTheSameBytes() throws {
        let first = try Sample.write(seed: 1)
        let second = try Sample.write(seed: 2)
        #expect(first.summary == second.summary)
        #expect(first.file != second.file, "the seal is new every time")
        #expect(try Sample.plaintext(first.file) == Sample.plaintext(second.file))
        var rows = Sample.rows(60)
        rows[59].time += 1
        #expect(try Sample.write(Sample.contents(), rows).summary.end.id != first.summary.end.id)
    }

    @Test func singleRowsAreFoundWithoutReadingTheRest() throws {
        let rows = Sample.rows(3000)
        let (file, _) = try Sample.write(Sample.contents(), rows)
        let reader = try Sample.read(file)
        for (group, from, limit) in [(1, 1, 3), (1, 1321, 10), (2, 2995, 100), (2, 1, 1), (1, 2999, 5), (2, 3001, 5)] {
            let found = try reader.rows(
                of: Sample.id(UInt8(group)), from: .init(era: 0, sequence: UInt64(from)), limit: limit)
            #expect(found == Array(rows.dropFirst(from - 1).prefix(limit)), "\(limit) from \(from) of \(group)")
        }
        #expect(try reader.rows(of: Sample.id(3), from: .init(era: 0, sequence: 0), limit: 5).isEmpty)
    }

    @Test func gapsErasAndRowsThatCouldNotBeOpenedAreTold() throws {
        var rows = Sample.rows(20).filter { ![5, 6, 11].contains($0.sequence) }
        for (index, row) in Sample.rows(3).enumerated() {
            rows.append(row)
            rows[rows.count - 1].era = 2
            rows[rows.count - 1].sequence = UInt64(index + 1)
        }
        let (file, _) = try Sample.write(Sample.contents(groups: [1]), rows)
        let group = try #require(try Sample.read(file).trailer.groups.first)
        #expect(group.ranges == [.init(era: 0, first: 1, last: 20), .init(era: 2, first: 1, last: 3)])
        #expect(group.gaps == [.init(era: 0, first: 5, last: 6), .init(era: 0, first: 11, last: 11)])
        #expect(
            group.gapCount == 2 && group.unreadable.values.reduce(0, +) == UInt64(rows.filter { !$0.isReadable }.count))
        #expect(try Sample.allRows(file)[Sample.id(1)] == rows)
    }

    @Test func passphrasesAndTextFormWork() throws {
        let words = SecretBytes(Array("correct horse".utf8))
        let (file, _) = try Sample.write(to: .passphrase(words, workFactor: 5), isArmored: true)
        let reader = try Sample.read(file, by: .passphrase(words))
        #expect(try reader.verify(Sample.verify).rows == 120)
        #expect(throws: ArchiveError(.wrongKey, "")) {
            try Sample.read(file, by: .passphrase(SecretBytes(Array("battery".utf8))))
        }
        #expect(throws: ArchiveError(.wrongKey, "")) { try Sample.read(file) }
    }

    @Test func rowsOutOfOrderAreRefused() throws {
        for rows in [[2, 1], [1, 1], [3, 4, 4]] as [[UInt64]] {
            let rows = rows.map { Sample.rows(1, from: $0)[0] }
            #expect(throws: ArchiveError(.invalidInput, "")) { try Sample.write(Sample.contents(), rows) }
        }
    }

    @Test func archivesGoOnFromEachOther() throws {
        let first = try Sample.write(Sample.contents(groups: [1]), Sample.rows(50))
        let second = try Sample.write(
            Sample.contents(groups: [1], previous: first.summary.end), Sample.rows(30, from: 51))
        let third = try Sample.write(
            Sample.contents(groups: [1, 2], previous: second.summary.end), Sample.rows(5, from: 90))
        #expect(try Sample.read(third.file).trailer.groups[0].gaps == [.init(era: 0, first: 81, last: 89)])
        let readers = try [first, second, third].map { try Sample.read($0.file) }
        for reader in readers { _ = try reader.verify(Sample.verify) }
        let all = readers.map { (end: $0.end, trailer: $0.trailer) }
        let ids = all.map(\.end.id)
        #expect(ArchiveChain.check(all.reversed()).order == ids)
        #expect(ArchiveChain.check(all).findings.isEmpty)
        #expect(ArchiveChain.check([all[0], all[2]]).findings == [.missing(previous: ids[1], of: ids[2])])
        #expect(ArchiveChain.check(all + [all[1]]).findings == [.doubled(ids[1])])
        let rival = try Sample.read(
            try Sample.write(Sample.contents(groups: [1], previous: first.summary.end), Sample.rows(2, from: 51)).file)
        #expect(
            ArchiveChain.check(all + [(rival.end, rival.trailer)]).findings
                == [.forked(at: ids[0], into: [rival.end.id, ids[1]])])
        let other = try Sample.read(
            try Sample.write(
                Sample.contents(groups: [1], previous: first.summary.end), Sample.rows(30, from: 51), signer: Signer(6)
            ).file)
        #expect(ArchiveChain.check([all[0], (other.end, other.trailer)]).findings == [.otherKey(other.end.id)])
        let stranger = try Sample.read(try Sample.write(Sample.contents(groups: [2]), Sample.rows(3)).file)
        #expect(
            ArchiveChain.check([all[0], (stranger.end, stranger.trailer)]).findings
                == [.severalBeginnings([stranger.end.id, ids[0]])])
        // Rows that the archive before it already has are out of order.
        #expect(throws: ArchiveError(.invalidInput, "")) {
            try Sample.write(Sample.contents(groups: [1], previous: first.summary.end), Sample.rows(2, from: 50))
        }
    }
}
