import ConclaveProtocol
import Foundation
import MLS
import Testing

/// What the server does to the roster, the log and the GroupInfo.
extension EndToEnd.AttackTests {
    /// The server takes someone off its list: no one signs for that, and it is shown.
    @Test(arguments: Variant.chosen(for: "roster", .seen))
    func whomTheServerStrikesIsRemovedInNobodysName(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let bobsID = try await scene.lies.id(of: "bob")
            let rows = try await scene.lies.log().count
            try await scene.lies.strike(bobsID)
            for _ in 0..<2 { try await alice.sync() }
            #expect(try await scene.lies.log().count == rows, "somebody has signed something")
            let member = try #require(try await alice.details("room").members.first { $0.username == "bob" })
            #expect(member.inTree && !member.onRoster)
            let shown = try await alice.run("group", "show", "room").output
            #expect(shown.contains("off the server's list"), "\(shown)")
            try await alice.write("bob is still here")
            try await scene.lies.enlist(bobsID)
            try await scene.expectGoesOn()
            #expect(try await bob.texts("room").contains("bob is still here"))
        }
    }

    /// The server gives out a GroupInfo of an epoch that is far away, with and without a commit that waits for its
    /// turn.
    @Test(arguments: Variant.chosen(for: "junk GroupInfo", .seen), [true, false])
    func junkInTheGroupInfosPlaceStopsNobody(variant: Variant, aCommitWaits: Bool) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let mallory = try await scene.member("mallory")
            // Its commit brings no GroupInfo, so members look after that.
            try await mallory.reset("room")
            if aCommitWaits { try await bob.run("group", "rotate", "room", "--queue") }
            for epoch in [1 << 40, UInt64.max] {
                try await scene.lies.putGroupInfo(try await mallory.junkGroupInfo(epoch: epoch, of: "room"))
            }
            for person in scene.people {
                // Mallory has a new key, and people are told.
                try await person.write("\(person.name) writes")
            }
            try await scene.stage.settle(scene.people)
            let info = try MLSMessage.summary(of: try await scene.lies.groupInfo())
            #expect(try await info.epoch == alice.details("room").epoch, "the junk is still there")
            for person in scene.people {
                #expect(Set(try await person.texts("room")) == ["alice writes", "bob writes"], "\(person.name)")
            }
            try await alice.run("group", "rotate", "room")
            try await scene.expectGoesOn()
        }
    }

    /// The server drops a message from the log and closes the gap: how many are missing is told once they are not
    /// merely late.
    @Test(arguments: Variant.chosen(for: "dropped message", .seen))
    func whatTheServerKeepsBackIsCounted(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let alicesID = try await scene.lies.id(of: "alice")
            for text in ["one", "two", "three"] { try await alice.write(text) }
            let row = try #require(try await scene.lies.log().suffix(2).first)
            try await scene.lies.deleteAndRenumber(row.message)
            try await bob.sync()
            for _ in 0..<2 {
                try await alice.run("group", "rotate", "room")
                try await bob.sync()
            }
            #expect(try await bob.texts("room") == ["one", "three"])
            try await scene.expectTold(bob, "missing", of: alicesID)
            let events = try await bob.history("room").flatMap { $0.events ?? [] }
            #expect(events.filter { $0.kind == "missing" }.map(\.count) == [1], "\(events)")
            try await scene.expectGoesOn()
        }
    }

    /// For a while, the server shows each of two members a log of their own, and then one of the logs to both.
    @Test(arguments: Variant.chosen(for: "two worlds", .seen))
    func whoWasShownAnotherWorldComesBack(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let alicesID = try await scene.lies.id(of: "alice")
            let server = scene.stage.server
            let data = scene.stage.folder + "/server/data"
            try await server.stop()
            try FileManager.default.copyItem(atPath: data, toPath: data + "-bob")
            try await server.start()
            try await alice.run("group", "rotate", "room")
            try await alice.write("in alice's world")
            for (old, new) in [("-alice", "-bob"), ("-bob", "-alice")] {
                try await server.stop()
                try FileManager.default.moveItem(atPath: data, toPath: data + old)
                try FileManager.default.moveItem(atPath: data + new, toPath: data)
                try await server.start()
                guard new == "-bob" else { break }
                try await bob.run("group", "rotate", "room")
                try await bob.write("in bob's world")
            }
            for person in [alice, bob, alice, bob] { try await person.sync() }
            try await scene.expectTold(bob, "logReplaced", of: alicesID)
            try await scene.expectGoesOn()
        }
    }

    /// The server drops a commit from the log and closes the gap: a member who missed it notices, comes back, and is
    /// shown what could not be read.
    @Test(arguments: Variant.chosen(for: "dropped commit", .seen))
    func whoIsKeptFromACommitComesBack(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let (alicesID, bobsID) = (try await scene.lies.id(of: "alice"), try await scene.lies.id(of: "bob"))
            try await alice.run("group", "rotate", "room")
            let commit = try #require(try await scene.lies.log().last)
            try await alice.write("under new keys")
            try await scene.lies.deleteAndRenumber(commit.message)
            for _ in 0..<2 { try await bob.sync() }
            try await scene.expectGoesOn()
            try await scene.expectTold(bob, "rejoined", of: bobsID)
            try await scene.expectShown(bob, "lostState", by: alicesID)
        }
    }

    /// The server is restored from an older backup: its members still have what it has forgotten, and they go on
    /// together.
    @Test(arguments: Variant.chosen(for: "restored server", .seen))
    func aServerThatWasPutBackSplitsNobody(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let server = scene.stage.server
            let data = scene.stage.folder + "/server/data"
            try await server.stop()
            try FileManager.default.copyItem(atPath: data, toPath: data + "-before")
            try await server.start()
            try await alice.write("forgotten by the server")
            try await alice.run("group", "rotate", "room")
            try await bob.sync()
            try await server.stop()
            try FileManager.default.removeItem(atPath: data)
            try FileManager.default.moveItem(atPath: data + "-before", toPath: data)
            try await server.start()
            try await bob.write("bob writes to the old server")
            try await alice.write("so does alice")
            try await scene.expectGoesOn()
            for person in scene.people {
                let texts = try await person.texts("room").filter { !$0.hasSuffix("goes on") }
                #expect(
                    Set(texts) == ["forgotten by the server", "bob writes to the old server", "so does alice"],
                    "\(person.name) reads \(texts)")
            }
        }
    }
}
