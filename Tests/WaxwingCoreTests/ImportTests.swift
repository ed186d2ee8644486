import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// History that comes from an archive.
@Suite struct ImportTests {
    /// Two people who have talked for a while, changed keys and talked on.
    private func talk(_ seed: UInt64, strict: Bool = true) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        try say(["one", "two"], world)
        try world.perform(.rotate(group: world.group("room", of: world.people[1]).id), world.people[1])
        try world.syncAll()
        try say(["three", "four"], world)
        return world
    }

    /// Each of the people says each of the texts.
    private func say(_ texts: [String], _ world: World) throws {
        for text in texts {
            for person in world.people {
                try world.perform(.send(group: world.group("room", of: person).id, text: text), person)
                try world.sync(person)
            }
        }
        try world.syncAll()
    }

    /// What an archive of the room would hold.
    private func archive(_ world: World, _ person: World.Person) throws -> [HistoryRow] {
        var settled = try SettledHistory(person.reader, world.group("room", of: person).id)
        var rows: [HistoryRow] = []
        while let page = try settled.next() { rows += page.eachRow }
        return rows
    }

    /// Imports as the command does: looks at every row, then takes them in small pieces.
    @discardableResult
    private func take(_ rows: [HistoryRow], as id: ID, _ world: World, _ person: World.Person) throws -> ImportCounts {
        var match = try EraMatch(person.reader, group: id)
        for row in rows { try match.look(at: row) }
        var sum = ImportCounts()
        for start in stride(from: 0, to: rows.count, by: 3) {
            let piece = ImportedHistory(
                group: id, name: "room", alias: "", eras: match.eras,
                rows: Array(rows[start..<min(start + 3, rows.count)]))
            guard case .imported(let counts) = try world.perform(.importHistory(piece), person) else {
                Issue.record("an import has counts")
                continue
            }
            sum += counts
        }
        return sum
    }

    private func counts(added: Int = 0, opened: Int = 0, known: Int = 0, misplaced: Int = 0) -> ImportCounts {
        var counts = ImportCounts()
        counts.added = added
        counts.opened = opened
        counts.known = known
        counts.misplaced = misplaced
        return counts
    }

    private func serverID(_ world: World) throws -> ID {
        try #require(try world.group("room", of: world.people[0]).serverID)
    }

    @Test func aNewProfileHoldsTheSameHistoryAndASecondImportChangesNothing() throws {
        let world = try talk(61)
        let rows = try archive(world, world.people[0])
        #expect(rows.count >= 10)
        let alice = try world.replaceDevice(of: world.people[0])
        let id = try #require(world.server.groups.keys.first)
        #expect(try take(rows, as: id, world, alice) == counts(added: rows.count))
        #expect(try archive(world, alice) == rows)
        #expect(try world.group("room", of: alice).status == .imported)
        #expect(try !world.group("room", of: alice).isOpen, "nobody can write there yet")
        let revision = alice.store.revision()
        #expect(try take(rows, as: id, world, alice) == counts(known: rows.count))
        #expect(alice.store.revision() == revision, "nothing was written")
        #expect(throws: CoreError.groupClosed(.imported)) {
            try world.perform(.send(group: world.group("room", of: alice).id, text: "?"), alice)
        }
    }

    /// Before the first sync, between it and coming back in, and after that.
    @Test(arguments: [0, 1, 2], [true, false])
    func membershipComesBackFromOutsideAndNothingIsLostOrDoubled(syncsBefore: Int, strict: Bool) throws {
        let world = try talk(62, strict: strict)
        let rows = try archive(world, world.people[0])
        let id = try serverID(world)
        let bob = world.people[1]
        // No one of alice's devices hears this.
        try world.perform(.send(group: world.group("room", of: bob).id, text: "alone"), bob)
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.sync(bob)
        let alice = try world.replaceDevice(of: world.people[0])
        func comeBack() throws {
            try world.perform(.rejoin(group: world.group("room", of: alice).id), alice)
            try world.sync(alice)
            try world.syncAll()
        }
        if syncsBefore > 0 { try world.sync(alice) }
        if syncsBefore > 1 { try comeBack() }
        #expect(try take(rows, as: id, world, alice).misplaced == 0)
        if syncsBefore < 2 {
            try world.sync(alice)
            #expect(try world.group("room", of: alice).status == .active, "on the roster, and in again from outside")
            try world.syncAll()
        }
        try say(["again"], world)
        let now = try archive(world, alice)
        #expect(Array(now.prefix(rows.count)) == rows, "what the archive said stands in front, as it was")
        #expect(Set(now.map(\.digest)).count == now.count, "no row twice")
        let bobs = try world.texts("room", bob)
        #expect(try world.texts("room", alice) == bobs.filter { $0 != "bob: alone" })
        #expect(try world.group("room", of: alice).era == 0, "one numbering for all")
        let digests = try world.people.map {
            try $0.core.details(of: world.group("room", of: $0).id)?.epochAuthenticator
        }
        #expect(digests[0] == digests[1] && digests[0] != nil)
        #expect(try take(rows, as: id, world, alice) == counts(known: rows.count))
    }

    @Test func theLogIsReadOnFromWhereTheArchiveEnds() throws {
        let world = try talk(63)
        let rows = try archive(world, world.people[0])
        let alice = try world.replaceDevice(of: world.people[0])
        try take(rows, as: try #require(world.server.groups.keys.first), world, alice)
        let record = try world.group("room", of: alice)
        let commits = rows.filter { if case .system = $0.content { true } else { false } }
        #expect(record.cursor == commits.last?.sequence, "the last commit is looked at once more")
        var asked: [String] = []
        world.answerInstead = { request in
            if let after = request.query.first(where: { $0.name == "after" }) { asked.append(after.value) }
            return nil
        }
        try world.sync(alice)
        #expect(asked.first == "\(record.cursor - 1)")
        #expect(try world.group("room", of: alice).status == .active)
    }

    /// A commit in the archive tells the GroupInfo that it made from that of a rival which never counted.
    @Test func theLastCommitOfTheArchiveIsKnownToTheRejoin() throws {
        let world = try talk(64)
        let rows = try archive(world, world.people[0])
        let alice = try world.replaceDevice(of: world.people[0])
        let id = try #require(world.server.groups.keys.first)
        try take(rows, as: id, world, alice)
        try world.sync(alice)
        world.answerInstead = { request in
            // The GroupInfo cannot be reached, so the search for our place ends before the commit is made.
            request.path.hasSuffix("/group-info") ? APIResponse(status: 503, contentType: "text/plain", body: []) : nil
        }
        try world.perform(.rejoin(group: id), alice)
        try world.sync(alice, patience: 2)
        let last = try #require(rows.last { if case .system = $0.content { true } else { false } })
        #expect(try alice.reader.membership(id).log.commits.contains { $0.epoch == last.epoch })
    }

    @Test func numberingsAreToldApartByTheirRows() throws {
        let world = try talk(65)
        let alice = world.people[0]
        let id = try serverID(world)
        // The server restarts its numbering while both are there, then alice's archive has two numberings.
        world.server.groups[id]?.log = []
        world.server.groups[id]?.lastSequence = 0
        try world.syncAll()
        try say(["anew"], world)
        let rows = try archive(world, alice)
        #expect(Set(rows.map(\.era)) == [0, 1])
        // A new device knows the second numbering as its first.
        let fresh = try world.replaceDevice(of: alice)
        try world.sync(fresh)
        try world.perform(.rejoin(group: world.group("room", of: fresh).id), fresh)
        try world.sync(fresh)
        try world.syncAll()
        let before = try archive(world, fresh)
        var match = try EraMatch(fresh.reader, group: id)
        for row in rows { try match.look(at: row) }
        #expect(match.eras == [1: 0], "the older numbering has no place in front of it")
        let taken = try take(rows, as: id, world, fresh)
        #expect(taken.misplaced == rows.filter { $0.era == 0 }.count)
        #expect(taken.added == rows.filter { $0.era == 1 }.count)
        #expect(try archive(world, fresh).count == before.count + taken.added)
    }

    @Test func aNumberingThatBeganAnewAfterTheArchiveComesBehindIt() throws {
        let world = try talk(66)
        let rows = try archive(world, world.people[0])
        let id = try serverID(world)
        let alice = try world.replaceDevice(of: world.people[0])
        try take(rows, as: id, world, alice)
        world.server.groups[id]?.log = []
        world.server.groups[id]?.lastSequence = 0
        try world.syncAll()
        try world.perform(.rejoin(group: world.group("room", of: alice).id), alice)
        try world.sync(alice)
        try world.syncAll()
        try say(["anew"], world)
        let now = try archive(world, alice)
        #expect(Array(now.prefix(rows.count)) == rows)
        #expect(now.dropFirst(rows.count).allSatisfy { $0.era == 1 })
        #expect(try world.texts("room", alice).suffix(2) == ["alice: anew", "bob: anew"])
    }

    @Test func whatCannotBeOpenedHereIsReadFromTheArchive() throws {
        let world = try talk(67)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = try serverID(world)
        let rows = try archive(world, alice)
        let room = try world.group("room", of: bob).id
        // The rows of bob's profile that another one could read.
        var spoilt = 0
        for row in try archive(world, bob) where row.messageID != nil && row.sender == alice.id {
            var line = row
            line.content = .unreadable(.lostState)
            line.messageID = nil
            var draft = Draft(store: bob.store, base: bob.store.revision())
            draft.put(.history, Keys.history(room, era: row.era, sequence: row.sequence ?? 0), line)
            _ = try bob.store.commit(draft.changes)
            spoilt += 1
        }
        #expect(spoilt == 4)
        let taken = try take(rows, as: id, world, bob)
        #expect(taken.opened == spoilt && taken.misplaced == 0)
        #expect(try world.texts("room", bob) == world.texts("room", alice))
        // The other way round, nothing gets worse.
        let worse = rows.map { row in
            var row = row
            row.content = .unreadable(.forged)
            return row
        }
        let revision = bob.store.revision()
        #expect(try take(worse, as: id, world, bob).known == rows.count)
        #expect(bob.store.revision() == revision)
    }

    /// Commits that the archive knows and the group has not applied yet must still be applied.
    @Test func anArchiveFromAheadDoesNotHoldTheGroupUp() throws {
        let world = try talk(68)
        let (alice, bob) = (world.people[0], world.people[1])
        for text in ["ahead 1", "ahead 2"] {
            try world.perform(.send(group: world.group("room", of: bob).id, text: text), bob)
            try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
            try world.sync(bob)
        }
        let ahead = try archive(world, bob)
        let taken = try take(ahead, as: try serverID(world), world, alice)
        #expect(taken.added == 0 && taken.misplaced == 4, "the log will tell of them")
        let epoch = try world.group("room", of: alice).epoch
        try world.syncAll()
        #expect(try world.group("room", of: alice).epoch == epoch + 2)
        #expect(try world.texts("room", alice) == world.texts("room", bob))
        try world.expectConverged("room")
        #expect(try archive(world, alice).suffix(ahead.count).map(\.digest) == ahead.map(\.digest))
    }

    @Test func anotherRowsPlaceIsNeverTaken() throws {
        let world = try talk(69)
        let alice = world.people[0]
        let rows = try archive(world, alice)
        let forged = rows.map { row in
            var row = row
            if !row.digest.isEmpty { row.digest[0] ^= 1 }
            row.content = .text("never said")
            row.messageID = nil
            return row
        }
        let room = try world.group("room", of: alice).id
        let piece = ImportedHistory(group: try serverID(world), name: "", alias: "", eras: [0: 0], rows: forged)
        try world.perform(.importHistory(piece), alice)
        #expect(try archive(world, alice) == rows)
        #expect(try world.group("room", of: alice).id == room)
    }

    @Test(arguments: 0..<6)
    func rowsThatNoLogHasAreRefused(which: Int) throws {
        let world = try talk(70)
        let alice = world.people[0]
        var row = try #require(try archive(world, alice).last)
        var rows = 1
        switch which {
        case 0: row.sequence = nil
        case 1: row.sequence = .max
        case 2: row.era = .max
        case 3: row.digest = [1, 2, 3]
        case 4: row.sequence = 0
        default: rows = ClientLimits.importedRows + 1
        }
        let piece = ImportedHistory(
            group: try serverID(world), name: "", alias: "", eras: [row.era: row.era],
            rows: Array(repeating: row, count: rows))
        let revision = alice.store.revision()
        #expect(throws: CoreError.invalidHistory) { try world.perform(.importHistory(piece), alice) }
        #expect(alice.store.revision() == revision)
    }

    @Test func namesAreLearntAndTrustIsNot() throws {
        let world = try talk(71)
        let (alice, bob) = (world.people[0], world.people[1])
        let known = try #require(try alice.reader.user(bob.id))
        let stranger = ID(Array(repeating: 9, count: 16))!
        try world.perform(
            .importUsers([
                ImportedUser(id: bob.id, username: "mallory", alias: "m"),
                ImportedUser(id: stranger, username: "carol", alias: "c"),
            ]), alice)
        #expect(try alice.reader.user(bob.id) == known)
        let learnt = try #require(try alice.reader.user(stranger))
        #expect(learnt.username == "carol" && learnt.fingerprint.isEmpty && !learnt.verified)
    }

    /// What was sent gets its number at once, though rows before it may not have been fetched.
    @Test func theSettledPartEndsWhereSomethingMayStillComeBetween() throws {
        let world = try talk(72)
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        let before = try archive(world, alice)
        try world.perform(.send(group: room, text: "waits"), alice)
        #expect(try archive(world, alice) == before)
        #expect(try SettledHistory(alice.reader, room).waiting == 1)
        // Bob is faster: the answer brings a number whose row before is not here yet.
        world.fault = { person, request in
            guard person === alice, request.method == .post, request.path.hasSuffix("/messages") else { return .none }
            do {
                try world.perform(.send(group: world.group("room", of: bob).id, text: "between"), bob)
                try world.sync(bob)
            } catch {
                Issue.record("\(error)")
            }
            return .none
        }
        try world.step(.connect(live: false), alice)
        while try !alice.reader.outbox().isEmpty, try world.stir(alice) {}
        #expect(try world.texts("room", alice).last == "alice: waits")
        #expect(try archive(world, alice) == before, "a row is missing in front of it")
        #expect(try SettledHistory(alice.reader, room).waiting == 1)
        world.fault = { _, _ in .none }
        try world.sync(alice)
        let after = try archive(world, alice)
        #expect(after.count == before.count + 2)
        #expect(Array(after.prefix(before.count)) == before)
        #expect(try SettledHistory(alice.reader, room).waiting == 0)
    }
}
