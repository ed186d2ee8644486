import ConclaveProtocol
import SQLiteStore
import Testing

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
            draft.put(UserRecord(username: "bo\u{1B}b"), for: bob)
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
        try check(
            .unreadable(.forged), shows: "! could not be opened: it is forged, or was damaged on its way (from bob)")
    }

    @Test func messagesThatWaitShowTheirState() throws {
        let group = try Shelf().group
        var row = OutboxRow(order: 3, group: group.id, intent: .rotate, createdAt: Instant(milliseconds: 0))
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (queued)")
        row.state = .sending
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (sending)")
        row.state = .unconfirmed
        try check(.text("hi"), sequence: nil, waiting: row, shows: "bob: hi (unconfirmed)")
        row.state = .failed("You are banned.")
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
        tail.start(at: .after(sequence: 2, in: shelf.group))
        var given: [UInt64?] = []
        try tail.forEachNew { given.append($0.sequence) }
        #expect(given == [3])
    }
}
