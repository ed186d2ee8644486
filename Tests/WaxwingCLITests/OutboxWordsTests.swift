import ConclaveProtocol
import SQLiteStore
import TestFolders
import Testing

@testable import WaxwingCLI
@testable import WaxwingCore

struct OutboxWordsTests {
    private let now = Moment(wall: Instant(milliseconds: 1_000_000))

    private func check(
        _ change: (inout OutboxRow) -> Void = { _ in }, link: LinkRecord? = nil, isLoggedIn: Bool = true,
        ahead: OutboxRow? = nil, heldBy: String = "", contains expected: String
    ) throws {
        let folder = try TemporaryFolder()
        let reader = AccountReader(store: try SQLiteStore(path: folder.path + "/store.sqlite"))
        let words = OutboxWords(names: Names(reader), link: link, isLoggedIn: isLoggedIn, now: now)
        var row = self.row(2)
        change(&row)
        let why = try words.why(row, in: nil, ahead: ahead, heldBy: heldBy)
        #expect(why.words.contains(expected) && !why.token.isEmpty, "\(why)")
        #expect(!words.remedy(row).isEmpty)
    }

    private func row(_ order: UInt64) -> OutboxRow {
        OutboxRow(
            order: order, group: ID([UInt8](repeating: 1, count: 16))!, intent: .rotate,
            createdAt: Instant(milliseconds: 0))
    }

    @Test func whyARowWaitsIsToldInTheOrderOfWhatHoldsItUp() throws {
        let trouble = LinkRecord(
            trouble: .transport(.nameNotFound, detail: "the name was not found"), since: now.wall, failures: 3)
        try check(contains: "it has not been tried yet")
        try check({ $0.state = .unconfirmed }, contains: "the group's log will tell")
        try check({ $0.trouble = .transport(.askedToWait, detail: "too busy") }, contains: "too busy")
        try check({ $0.notBefore = now.deadline(afterMilliseconds: 60_000) }, contains: "waits until")
        try check(
            { $0.trouble = .transport(.askedToWait, detail: "too busy") }, ahead: row(1),
            contains: "row 1 of the same group comes first")
        try check(link: trouble, ahead: row(1), contains: "the name was not found (since ")
        try check(link: trouble, isLoggedIn: false, contains: "no one is logged in")
        try check(
            { $0.state = .failed(.refused(status: 401, code: .banned, detail: "banned")) }, link: trouble,
            isLoggedIn: false, contains: "failed: banned")
    }

    @Test(arguments: [
        (0, "1970-01-01"), (86_399, "1970-01-01"), (951_782_400, "2000-02-29"), (951_868_800, "2000-03-01"),
        (1_796_083_199, "2026-11-30"), (4_107_542_400, "2100-03-01"), (253_402_300_799, "9999-12-31"),
    ])
    func daysOfTheCalendar(seconds: UInt64, text: String) {
        #expect(Day(seconds).description == text)
    }

    @Test func fingerprintsAreReadInEightGroupsOfEight() {
        let hex = String(repeating: "0123abcd", count: 8)
        let shown = Fingerprint.grouped(hex)
        #expect(shown.split(separator: " ").map(\.count) == [Int](repeating: 8, count: 8))
        #expect(Fingerprint.plain(shown.uppercased()) == hex)
    }
}
