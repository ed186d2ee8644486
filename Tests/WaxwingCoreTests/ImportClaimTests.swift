import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// What archives claim that no one can have written honestly, or that only the log can tell.
@Suite struct ImportClaimTests {
    private func talk(_ seed: UInt64) throws -> World {
        let world = World(seed: seed, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        for text in ["one", "two", "three"] {
            for person in world.people { try say(text, world, person) }
        }
        try world.syncAll()
        return world
    }

    private func say(_ text: String, _ world: World, _ person: World.Person) throws {
        try world.perform(.send(group: world.group("room", of: person).id, text: text), person)
        try world.sync(person)
    }

    private func history(_ world: World, _ person: World.Person) throws -> [HistoryRow] {
        var settled = try SettledHistory(person.reader, world.group("room", of: person).id)
        var rows: [HistoryRow] = []
        while let page = try settled.next() { rows += page.eachRow }
        return rows
    }

    private func take(_ rows: [HistoryRow], _ world: World, _ person: World.Person) throws -> ImportCounts {
        let piece = ImportedHistory(
            group: try #require(try world.group("room", of: person).serverID), name: "", alias: "", eras: [0: 0],
            rows: rows)
        guard case .imported(let counts) = try world.perform(.importHistory(piece), person) else {
            Issue.record("an import has counts")
            return ImportCounts()
        }
        return counts
    }

    /// Makes room before the front, as if a server had dropped rows that were never fetched.
    private func makeHoles(_ holes: [HistoryRow], _ world: World, _ person: World.Person) throws {
        var draft = Draft(store: person.store, base: person.store.revision())
        let room = try world.group("room", of: person).id
        for hole in holes {
            draft.delete(.history, Keys.history(room, era: hole.era, sequence: hole.sequence ?? 0))
        }
        _ = try person.store.commit(draft.changes)
    }

    /// Someone who knows the ciphertext of a row before it is fetched could hide it behind a line of an archive.
    @Test func whatAnArchiveSaysOfRowsToComeHidesNone() throws {
        let world = try talk(81)
        let (alice, bob) = (world.people[0], world.people[1])
        let holes = Array(try history(world, alice).filter { $0.messageID != nil }.prefix(3))
        let before = try history(world, bob).count
        try say("hidden by its ciphertext", world, bob)
        try say("hidden by its id", world, bob)
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.sync(bob)
        let ahead = Array(try history(world, bob).dropFirst(before))
        try #require(ahead.count == 3)
        try makeHoles(holes, world, alice)
        let forged = zip(holes, ahead).map { hole, row in
            HistoryRow(
                sequence: hole.sequence, era: 0, sender: bob.id, time: 1, content: .text("innocent"),
                messageID: row.content == .text("hidden by its id") ? row.messageID : nil,
                digest: row.content == .text("hidden by its id") ? Array(repeating: 1, count: 32) : row.digest)
        }
        #expect(try take(forged, world, alice).added == 3)
        let epoch = try world.group("room", of: alice).epoch
        try world.syncAll()
        #expect(try world.group("room", of: alice).epoch == epoch + 1, "the commit was applied")
        let keys = try world.people.map { try $0.core.details(of: world.group("room", of: $0).id)?.epochAuthenticator }
        #expect(keys[0] == keys[1] && keys[0] != nil)
        let texts = try world.texts("room", alice)
        #expect(texts.suffix(2) == ["bob: hidden by its ciphertext", "bob: hidden by its id"])
        #expect(!texts.contains("bob: innocent"), "the real row wins")
        #expect(try history(world, alice).suffix(3).map(\.digest) == ahead.map(\.digest))
    }

    /// The same from a numbering before the present one, in which rows of archives have no marks.
    @Test func noCommitIsTakenForARowOfAnEarlierNumbering() throws {
        let world = try talk(82)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[id]?.log = []
        world.server.groups[id]?.lastSequence = 0
        try world.syncAll()
        for person in world.people { try say("anew", world, person) }
        try world.syncAll()
        #expect(try world.group("room", of: alice).era == 1)
        let before = try history(world, bob).count
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.sync(bob)
        let commit = try #require(try history(world, bob).dropFirst(before).last)
        let hole = try #require(try history(world, alice).first { $0.era == 0 && $0.sequence == commit.sequence })
        try makeHoles([hole], world, alice)
        let forged = HistoryRow(
            sequence: hole.sequence, era: 0, sender: bob.id, time: 1, content: .text("innocent"), digest: commit.digest)
        let piece = ImportedHistory(group: id, name: "", alias: "", eras: [0: 0], unmarked: [0: .max], rows: [forged])
        try world.perform(.importHistory(piece), alice)
        let epoch = try world.group("room", of: alice).epoch
        try world.syncAll()
        #expect(try world.group("room", of: alice).epoch == epoch + 1)
        #expect(try !world.texts("room", alice).contains("bob: innocent"))
    }

    @Test func marksOfTheLogKeepTheirForm() throws {
        let row: [UInt8] = [1, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]
        #expect(try SeenRecord(stored: row) == .row(era: 2, sequence: 3))
        #expect(SeenRecord.row(era: 2, sequence: 3).stored == row)
        #expect(try SeenRecord(stored: [1, 0, 0, 0, 0, 0, 0, 0, 0, 9]) == .own(order: 9))
        for mark in [SeenRecord.imported(era: 2, sequence: 3), .row(era: 2, sequence: 3), .own(order: 4)] {
            #expect(try SeenRecord(stored: mark.stored) == mark)
        }
    }

    @Test func whatIsOpenedKeepsWhoSentItAndWhen() throws {
        let world = try talk(83)
        let (alice, bob) = (world.people[0], world.people[1])
        let messages = Array(
            try history(world, alice).filter { $0.messageID != nil && $0.sender == alice.id }.prefix(2))
        try #require(messages.count == 2)
        let room = try world.group("room", of: bob).id
        var draft = Draft(store: bob.store, base: bob.store.revision())
        for message in messages {
            var line = message
            line.content = .unreadable(.lostState)
            line.messageID = nil
            draft.put(.history, Keys.history(room, era: line.era, sequence: line.sequence ?? 0), line)
        }
        _ = try bob.store.commit(draft.changes)
        var forged = messages
        forged[0].time = 1
        forged[1].sender = bob.id
        forged[1].content = .text("I never said this")
        let taken = try take(forged, world, bob)
        #expect(taken.opened == 1 && taken.misplaced == 1)
        let now = try history(world, bob)
        #expect(now.contains(messages[0]), "opened, and its time is the one that the log told")
        #expect(now.contains { $0.digest == messages[1].digest && !$0.isReadable })
    }

    @Test func whatNoLogTellsStaysOut() throws {
        let world = try talk(84)
        let alice = world.people[0]
        let rows = try history(world, alice)
        let last = try #require(rows.last)
        var beyond = (1...3).map { (number: UInt64) in
            var row = last
            row.sequence = (last.sequence ?? 0) + number
            row.digest = Array(repeating: UInt8(number), count: 32)
            row.messageID = nil
            return row
        }
        beyond.append(beyond[0])
        beyond[3].sequence = UInt64(Int64.max)
        #expect(try take(beyond, world, alice).misplaced == 4, "a living group's log will tell of them itself")
        let old = try #require(rows.first { $0.messageID != nil && $0.sender != alice.id })
        try makeHoles([old], world, alice)
        var long = old
        long.content = .text(String(repeating: "x", count: ClientLimits.importedText + 1))
        #expect(try take([long], world, alice).misplaced == 1)
        #expect(try history(world, alice) == rows.filter { $0 != old })
        #expect(try take([old], world, alice).added == 1)
        #expect(try history(world, alice) == rows)
        // If nothing is here yet, numbers that no log reaches must not be continued.
        let fresh = try world.replaceDevice(of: alice)
        let id = try #require(world.server.groups.keys.first)
        let piece = ImportedHistory(group: id, name: "room", alias: "", eras: [0: 0], rows: [beyond[3]])
        try world.perform(.importHistory(piece), fresh)
        #expect(try world.group("room", of: fresh).cursor == 0)
    }

    @Test func numberingsRunNoFurtherAheadThanOnesOwnCanFollow() throws {
        let world = try talk(85)
        let id = try #require(try world.group("room", of: world.people[0]).serverID)
        func hasStrays(_ eras: [UInt32], group: ID = id) throws -> Bool {
            var match = try EraMatch(world.people[0].reader, group: group)
            for era in eras { match.note(era: era) }
            return match.hasStrays
        }
        let unknown = ID(high: 1, low: 1)
        #expect(try hasStrays([1 << 20]))
        #expect(try hasStrays([1 << 20], group: unknown))
        #expect(try hasStrays([0, 1002], group: unknown))
        // What was let in once can still be imported when the server starts over.
        for restarts: UInt32 in 0..<5 { #expect(try !hasStrays(Array(1000...(1000 + restarts)), group: unknown)) }
        #expect(try !hasStrays(Array(0..<2000), group: unknown))
    }

    @Test func piecesAreBoundedByRowsAndByBytes() {
        func pieces(of count: Int, bytes: Int) -> [Int] {
            let row = HistoryRow(
                sequence: 1, era: 0, sender: ID(high: 1, low: 1), time: 1,
                content: .text(String(repeating: "x", count: bytes)))
            var pieces: [Int] = []
            var piece = ImportPiece()
            for _ in 0..<count {
                if pieces.isEmpty || !piece.takes(row) {
                    piece = ImportPiece()
                    let isTaken = piece.takes(row)
                    #expect(isTaken, "a piece is never empty")
                    pieces.append(0)
                }
                pieces[pieces.count - 1] += 1
            }
            return pieces
        }
        #expect(pieces(of: 4500, bytes: 10) == [2000, 2000, 500])
        #expect(pieces(of: 25, bytes: 256 << 10) == [8, 8, 8, 1])
        #expect(pieces(of: 3, bytes: 4 << 20) == [1, 1, 1])
    }
}
