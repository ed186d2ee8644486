import ConclaveProtocol
import SQLiteStore
import TestFolders
import Testing

@testable import Waxwing
@testable import WaxwingCLI
@testable import WaxwingCore

/// A store with what the tests put there.
private struct Shelf {
    let folder: TemporaryFolder
    let store: SQLiteStore
    let alice = ID([UInt8](repeating: 0xA1, count: 16))!
    let bob = ID([UInt8](repeating: 0xB0, count: 16))!
    let group = GroupRecord(
        id: ID([UInt8](repeating: 1, count: 16))!, serverID: nil, name: "lunch", alias: "", status: .active)

    var reader: AccountReader { AccountReader(store: store) }

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteStore(path: folder.path + "/store.sqlite")
        try change { draft in
            draft.put(UserRecord(username: "alice"), for: alice)
            draft.put(UserRecord(username: "bob"), for: bob)
        }
    }

    func change(_ body: (inout Draft) throws -> Void) throws {
        var draft = Draft(store: store, base: try store.revision())
        try body(&draft)
        _ = try store.commit(draft.changes)
    }

    func add(_ sequences: [UInt64]) throws {
        try change { draft in
            for sequence in sequences { draft.putHistory(row(.text("\(sequence)"), sequence: sequence), in: group) }
        }
    }

    func row(_ content: HistoryRow.Content, sequence: UInt64?) -> HistoryRow {
        HistoryRow(sequence: sequence, era: 0, sender: bob, time: 0, content: content)
    }
}

struct HistoryTests {
    private func check(
        _ content: HistoryRow.Content, sequence: UInt64? = 7, waiting: OutboxRow? = nil, shows expected: String
    ) throws {
        let shelf = try Shelf()
        let row = shelf.row(content, sequence: sequence)
        let line = try HistoryLine(names: Names(shelf.reader)).text(row, waiting: waiting)
        #expect(line == "\(sequence.map(String.init) ?? "·")  \(TimeText.minute(0))  \(expected)")
    }

    private func event(_ kind: SystemEvent.Kind, _ subject: ID? = nil) throws -> HistoryRow.Content {
        let shelf = try Shelf()
        return .system([SystemEvent(kind, actor: shelf.alice, subject: subject)])
    }

    @Test func linesSayWhatHappened() throws {
        let bob = try Shelf().bob
        try check(.text("hi"), shows: "bob: hi")
        try check(.text("one\n7  alice: two"), shows: "bob: one\n    7  alice: two")
        try check(.text("\u{1B}[2Jhi"), shows: "bob: [2Jhi")
        try check(event(.created), shows: "— alice created the group")
        try check(event(.joined, bob), shows: "— bob joined (invited by alice)")
        try check(event(.rotated), shows: "— alice changed the keys")
        try check(event(.removed, bob), shows: "— bob was removed by alice")
        try check(event(.weWereRemoved, bob), shows: "— you were removed by alice")
        try check(event(.weWereRemoved), shows: "— you are no longer a member")
        try check(event(.left, bob), shows: "— bob left (alice's client took them out)")
        try check(event(.unlisted, bob), shows: "— bob is no longer on the server's list; alice's client took them out")
        try check(
            event(.weWereUnlisted, bob),
            shows: "— you were no longer on the server's list; alice's client took you out")
        try check(
            .unreadable(.forged), shows: "! could not be opened: it is forged, or was damaged on its way (from bob)")
    }

    @Test func eachKindHasItsOwnWords() throws {
        let reasons = HistoryRow.Unreadable.allCases.map { HistoryLine.words(for: $0) }
        #expect(Set(reasons).count == reasons.count && reasons.allSatisfy { !$0.isEmpty })
        let shelf = try Shelf()
        let line = HistoryLine(names: Names(shelf.reader))
        let events = try SystemEvent.Kind.allCases.map {
            try line.words(for: SystemEvent($0, actor: shelf.alice, subject: shelf.bob))
        }
        #expect(Set(events).count == events.count)
        // What no one asked for is not signed with a person's name.
        for kind in [SystemEvent.Kind.left, .unlisted, .weWereUnlisted] {
            let words = try line.words(for: SystemEvent(kind, actor: shelf.alice, subject: shelf.bob))
            #expect(!words.contains("removed") && words.contains("alice's client"), "\(words)")
        }
    }

    /// Only for others' rows: ours have the time of our own clock at first. At the beginning of a page, the row before
    /// it counts, too.
    @Test func timesThatRunBackwardsAreShownSo() throws {
        let shelf = try Shelf()
        let times: [(time: UInt64, isOurs: Bool, runsBack: Bool)] = [
            (10_000, false, false), (9_990, false, false), (9_000, true, false), (9_000, false, true),
            (9_500, false, false), (20_000, true, false), (9_600, false, false), (0, false, true),
        ]
        let rows = times.enumerated().map { index, row in
            HistoryRow(
                sequence: UInt64(index + 1), era: 0, sender: row.isOurs ? shelf.alice : shelf.bob, time: row.time,
                content: .text("hi"))
        }
        try shelf.change { draft in
            for row in rows { draft.putHistory(row, in: shelf.group) }
        }
        let (inOrder, me, room) = (LogTimes(), shelf.alice, shelf.group.id)
        for (row, expected) in zip(rows, times) {
            #expect(try inOrder.runBack(at: row, in: room, notOf: me, shelf.reader) == expected.runsBack)
            #expect(try LogTimes().runBack(at: row, in: room, notOf: me, shelf.reader) == expected.runsBack)
        }
        let line = try HistoryLine(names: Names(shelf.reader)).text(rows[3], waiting: nil, isBackInTime: true)
        #expect(line.contains("[earlier than the line before]"))
    }

    @Test func messagesThatNeverCameAreCounted() throws {
        let shelf = try Shelf()
        let line = HistoryLine(names: Names(shelf.reader))
        let words = try [1, 40].map { try line.words(for: SystemEvent(.missing, actor: shelf.bob, count: $0)) }
        #expect(words[0].hasPrefix("1 message of bob never came:"))
        #expect(words[1].hasPrefix("40 messages of bob never came:"))
    }

    @Test func messagesThatWaitShowTheirState() throws {
        let group = try Shelf().group
        var row = OutboxRow(order: 3, group: group.id, intent: .rotate, createdAt: Instant(milliseconds: 0))
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (queued)")
        row.state = .sending
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (sending)")
        row.state = .unconfirmed
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (unconfirmed)")
        row.state = .failed(.refused(status: 401, code: .banned, detail: "you are banned"))
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (failed: you are banned)")
    }

    @Test func aChangedKeyIsShownBesideTheName() throws {
        let shelf = try Shelf()
        let names = Names(shelf.reader)
        #expect(try names.shown(shelf.bob) == "bob")
        try shelf.change { draft in
            draft.put(UserRecord(username: "bob", fingerprint: "aa", changedFingerprint: "bb"), for: shelf.bob)
        }
        #expect(try names.shown(shelf.bob) == "bob [key changed]")
    }

    @Test func unknownUsersGoByTheBeginningOfTheirID() throws {
        let shelf = try Shelf()
        let stranger = try #require(ID([UInt8](repeating: 0xC3, count: 16)))
        #expect(try Names(shelf.reader).username(stranger) == "c3c3c3c3")
    }

    @Test func rowsThatTakeTheirPlaceBehindOneAlreadyGivenAreGivenOnce() throws {
        let shelf = try Shelf()
        try shelf.add([1, 2, 5])
        var tail = HistoryTail(shelf.reader, shelf.group.id)
        #expect(try tail.last(2).map(\.sequence) == [2, 5])
        try shelf.add([3, 4, 6])
        var given: [UInt64?] = []
        try tail.forEachNew { given.append($0.sequence) }
        try tail.forEachNew { given.append($0.sequence) }
        #expect(given == [3, 4, 6])
    }

    @Test func longHistoriesAreGivenWholeAndOnce() throws {
        let shelf = try Shelf()
        try shelf.add(Array(1...2500))
        var tail = HistoryTail(shelf.reader, shelf.group.id)
        var given: [UInt64?] = []
        try tail.forEachNew { given.append($0.sequence) }
        try shelf.add(Array(2501...2600))
        try tail.forEachNew { given.append($0.sequence) }
        #expect(given == (1...2600).map { $0 })
    }

    @Test func sinceBeginsBehindTheNumber() throws {
        let shelf = try Shelf()
        try shelf.add([1, 2, 3])
        var tail = HistoryTail(shelf.reader, shelf.group.id)
        tail.start(at: try #require(try shelf.reader.position(after: 2, in: shelf.group)))
        var given: [UInt64?] = []
        try tail.forEachNew { given.append($0.sequence) }
        #expect(given == [3])
    }

    /// A server that restarted its numbering, twice; the present numbering has no row yet.
    @Test(
        arguments: [
            (nil, 57, ["0.58", "1.1", "1.2", "1.9", "3.1"]), (nil, 58, ["1.1", "1.2", "1.9", "3.1"]),
            (nil, 9, ["3.1"]), (nil, 3, ["1.9", "3.1"]), (nil, 1, []),
            (nil, 0, ["0.57", "0.58", "1.1", "1.2", "1.9", "3.1"]), (nil, 99, []),
            (0, 58, ["1.1", "1.2", "1.9", "3.1"]),
            (1, 1, ["1.2", "1.9", "3.1"]), (2, 0, ["3.1"]), (3, 0, ["3.1"]), (4, 0, []),
        ] as [(UInt32?, UInt64, [String])])
    func sinceGoesOnAcrossNumberings(era: UInt32?, sequence: UInt64, expected: [String]) throws {
        let shelf = try Shelf()
        var group = shelf.group
        group.era = 4
        try shelf.change { draft in
            for (era, sequence) in [(0, 57), (0, 58), (1, 1), (1, 2), (1, 9), (3, 1)] as [(UInt32, UInt64)] {
                var row = shelf.row(.text("x"), sequence: sequence)
                row.era = era
                draft.putHistory(row, in: group)
            }
            var waiting = shelf.row(.text("mine"), sequence: nil)
            waiting.outboxOrder = 1
            draft.putHistory(waiting, in: group)
        }
        var tail = HistoryTail(shelf.reader, group.id)
        if let place = try shelf.reader.position(after: sequence, era: era, in: group) { tail.start(at: place) }
        var given: [String] = []
        try tail.forEachNew { if let sequence = $0.sequence { given.append("\($0.era).\(sequence)") } }
        #expect(given == expected)
    }
}
