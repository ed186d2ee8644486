import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// A page of rows says what the rows say one by one.
@Suite struct HistoryPageTests {
    private static func id(_ number: UInt8) -> ID { ID([UInt8](repeating: number, count: 16)) ?? .nobody }

    private static let rows: [HistoryRow] = [
        HistoryRow(sequence: 1, era: 0, sender: id(1), time: 5, content: .text("")),
        HistoryRow(
            sequence: .max, era: .max, sender: id(2), time: .max, content: .text("a ☂ and \u{0}"), hasOtherKey: true,
            epoch: .max, generation: .max, messageID: MessageID([UInt8](0..<16)),
            digest: [UInt8](repeating: 7, count: 32),
            outboxOrder: .max),
        HistoryRow(
            sequence: 2, era: 1, sender: id(3), time: 6,
            content: .system([SystemEvent(.created, actor: id(3)), SystemEvent(.joined, actor: id(3), subject: id(4))])),
        HistoryRow(sequence: nil, era: 0, sender: id(1), time: 7, content: .system([])),
        HistoryRow(
            sequence: 3, era: 1, sender: id(4), time: 8, content: .system([SystemEvent(.rotated, actor: id(4))])),
        HistoryRow(sequence: 4, era: 1, sender: id(5), time: 9, content: .unreadable(.tooFarAhead)),
        HistoryRow(
            sequence: 5, era: 1, sender: id(5), time: 9, content: .text(String(repeating: "long ", count: 9000))),
    ]

    private func page(_ stored: [[UInt8]]) throws(StoreError) -> HistoryPage {
        var rows = StoredRows()
        for row in stored { row.withUnsafeBytes { rows.append($0) } }
        return try HistoryPage(rows)
    }

    @Test func rowsAreThoseThatWereStored() throws {
        #expect(try HistoryPage(Self.rows).eachRow == Self.rows)
        #expect(try page(Self.rows.map(\.stored)).eachRow == Self.rows)
        #expect(try HistoryPage([]).rows.isEmpty)
    }

    @Test func textThatIsNotUTF8IsRepairedAsInARow() throws {
        let row = HistoryRow(sequence: 1, era: 0, sender: Self.id(1), time: 5, content: .text("umbrella: ☂, noon"))
        var stored = row.stored
        let place = try #require(stored.firstIndex(of: 0xE2))
        stored[place + 1] = 0x20
        let page = try page([Self.rows[1].stored, stored, Self.rows[6].stored])
        #expect(page.eachRow == [Self.rows[1], try HistoryRow(stored: stored), Self.rows[6]])
        page.withBytes { bytes in
            for case .text(let place) in page.rows.map(\.content) {
                #expect(String(validating: bytes[place], as: UTF8.self) != nil)
            }
        }
    }

    /// Whatever is changed in one of them: it is refused, or read, just as it is by itself.
    @Test func damagedRowsAreRefusedAsTheyAreByThemselves() throws {
        let whole = Self.rows[2].stored
        for stored in Self.rows[..<6].map(\.stored) {
            for index in stored.indices {
                for change in [0x00, 0x01, 0x7F, 0xC0, 0xFF] as [UInt8] {
                    var altered = stored
                    altered[index] = change
                    expectTheSame(altered, between: whole)
                }
                expectTheSame(Array(stored[..<index]), between: whole)
            }
            expectTheSame(stored + [0], between: whole)
        }
    }

    private func expectTheSame(_ stored: [UInt8], between whole: [UInt8]) {
        let alone = Result { () throws(StoreError) in try HistoryRow(stored: stored) }
        let inPage = Result { () throws(StoreError) in try page([whole, stored, whole]) }
        switch (alone, inPage) {
        case (.success(let row), .success(let page)): #expect(page.eachRow[1] == row)
        case (.failure(let error), .failure(let other)): #expect(error == other)
        default: Issue.record("\(stored): \(alone) by itself, \(inPage) in a page")
        }
    }
}
