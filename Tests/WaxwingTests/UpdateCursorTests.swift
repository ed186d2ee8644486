import ConclaveProtocol
import Foundation
import SQLiteStore
import TestFolders
import Testing

@testable import Waxwing
@testable import WaxwingCore

/// What a cursor of updates counts as given.
@Suite struct UpdateCursorTests {
    /// A place, and what is accepted at it.
    private final class Reading {
        var place = UpdateCursor.Place()
        func take(_ row: HistoryRow) -> Bool { place.take(row) }
    }

    private func row(
        _ sequence: UInt64?, era: UInt32 = 0, _ content: HistoryRow.Content = .text("hello")
    ) -> HistoryRow {
        HistoryRow(sequence: sequence, era: era, sender: .nobody, time: 0, content: content)
    }

    private func reading(after sequences: UInt64...) -> Reading {
        let reading = Reading()
        for sequence in sequences { _ = reading.take(row(sequence)) }
        return reading
    }

    @Test func eachRowIsTakenOnce() {
        let reading = Reading()
        for sequence in 1...3 as ClosedRange<UInt64> {
            #expect(reading.take(row(sequence)))
            #expect(!reading.take(row(sequence)))
        }
        #expect(reading.place.missing.isEmpty && reading.place.lookAfter == 3)
        #expect(!reading.take(row(nil)), "what waits has no place yet")
    }

    /// The answer to a message of ours comes before the rows ahead of it.
    @Test func whatComesLateIsTaken() {
        let reading = reading(after: 1, 6)
        #expect(reading.place.missing == [2...5] && reading.place.lookAfter == 1)
        #expect(reading.take(row(4)) && !reading.take(row(4)))
        #expect(reading.place.missing == [2...3, 5...5])
        #expect(reading.take(row(2)) && reading.take(row(3)) && reading.take(row(5)))
        #expect(reading.place.missing.isEmpty && reading.place.lookAfter == 6)
        #expect(!reading.take(row(6)))
    }

    /// A row that has no key yet is given once it opens.
    @Test func whatOpensLateIsTaken() {
        let reading = reading(after: 1)
        #expect(!reading.take(row(2, .unreadable(.epochNotReached))))
        #expect(reading.take(row(3)))
        #expect(reading.place.lookAfter == 1)
        #expect(!reading.take(row(2, .unreadable(.epochNotReached))))
        #expect(reading.take(row(2)) && !reading.take(row(2)))
        #expect(reading.take(row(4, .unreadable(.forged))), "what never opens is told as it is")
    }

    @Test func aNewNumberingBeginsAnew() {
        let reading = reading(after: 1, 2, 9)
        #expect(reading.take(row(1, era: 1)) && reading.take(row(2, era: 1)))
        #expect(!reading.take(row(5)), "what was missing of the old one is given up")
        #expect(reading.place.era == 1 && reading.place.lookAfter == 2)
    }

    /// A hole that nothing fills neither grows nor is looked at for ever.
    @Test func holesFarBackAreForgotten() {
        let reading = Reading()
        for sequence in stride(from: 2, through: 2_000, by: 2) as StrideThrough<UInt64> {
            _ = reading.take(row(sequence))
        }
        #expect(reading.place.missing.count <= Int(UpdateCursor.Place.window) / 2 + 1)
        #expect(reading.place.lookAfter >= 2_000 - UpdateCursor.Place.window - 1)
        #expect(!reading.take(row(1)) && reading.take(row(1_999)))
        // The largest numbers a server can give break nothing.
        #expect(reading.take(row(.max)) && !reading.take(row(.max)) && reading.take(row(.max - 1)))
        #expect(reading.place.missing.count <= 2)
    }

    @Test func itIsKeptAsText() throws {
        var cursor = UpdateCursor.beginning
        let group = ID([UInt8](repeating: 7, count: 16))!
        cursor.set(reading(after: 1, 6).place, for: group)
        let read = try JSONDecoder().decode(UpdateCursor.self, from: JSONEncoder().encode(cursor))
        #expect(read == cursor && read.place(of: group).missing == [2...5])
        #expect(read.place(of: .nobody) == UpdateCursor.Place())
    }

    /// The number in an answer is only the server's word: whatever it is, each row is given once, and none is missed.
    @Test(arguments: [3, 9, UInt64.max]) func aFalseNumberHidesNothing(_ claimed: UInt64) throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try SQLiteStore(path: folder.path + "/store.sqlite")
        let reader = AccountReader(store: store)
        var group = GroupRecord(
            id: ID([UInt8](repeating: 1, count: 16))!, serverID: nil, name: "lunch", alias: "", status: .active)
        func change(_ body: (inout Draft) throws -> Void) throws {
            var draft = Draft(store: store, base: try store.revision())
            try body(&draft)
            _ = try store.commit(draft.changes)
        }
        var mine = row(claimed, .text("mine"))
        mine.messageID = MessageID([UInt8](repeating: 7, count: 16))
        group.cursor = 2
        try change { draft in
            draft.put(group)
            for number in 1...2 as ClosedRange<UInt64> { draft.putHistory(row(number, .text("\(number)")), in: group) }
            draft.putHistory(mine, in: group)
        }
        let first = try Scan(.beginning, reader)
        #expect(texts(first) == ["1", "2", "mine"])
        // It stays at 4, and the others go on.
        group.cursor = 6
        try change { draft in
            draft.put(group)
            draft.delete(.history, Keys.history(group.id, era: 0, sequence: claimed))
            mine.sequence = 4
            draft.putHistory(mine, in: group)
            for number in [3, 5, 6] as [UInt64] { draft.putHistory(row(number, .text("\(number)")), in: group) }
        }
        let second = try Scan(first.cursor, reader)
        #expect(texts(second) == ["3", "5", "6"])
        #expect(try texts(Scan(second.cursor, reader)).isEmpty)
        // A reader that begins now is told of what comes from now on, however much waits.
        try change { draft in
            for order in 0..<400 as Range<UInt64> {
                var waiting = row(nil, .text("later"))
                waiting.outboxOrder = order
                draft.putHistory(waiting, in: group)
            }
        }
        #expect(try texts(Scan(Scan(nil, reader).cursor, reader)).isEmpty)
    }

    private func texts(_ scan: Scan) -> [String] {
        scan.updates.compactMap { update in
            if case .history(_, let row) = update.change, case .text(let text) = row.content { text } else { nil }
        }
    }
}
