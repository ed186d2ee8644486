import Testing

extension EndToEnd.StrictOrderingTests {
    /// Alone in a group, another kind of client is ahead of the log as soon as an invite of its own comes to nothing.
    @Test func aForeignClientGoesOnAfterAnInviteThatWasDeclined() async throws {
        try await withStage { stage in
            let people = try await stage.people("bob", "carol")
            let (bob, carol) = (people[0], people[1])
            let eve = try await ForeignClient("eve", at: stage.server.port, seed: 1)
            try await eve.create("room")
            try await eve.invite("bob", to: "room")
            try await bob.sync()
            try await bob.run("decline", "room")
            try await eve.rotate("room")
            try await eve.rotate("room")
            #expect(await eve.refusals == [])

            try await eve.invite("carol", to: "room")
            try await carol.sync()
            try await carol.run("accept", "room")
            try await carol.run("send", "room", "here I am")
            try await eve.send("welcome", to: "room")
            // Bob's leaf is in the tree, as eve has applied her invite of him at once. It is shown as such, and stays:
            // no one signs that he is out.
            try await stage.settle([carol])
            try await eve.read("room")
            #expect(await eve.texts == ["here I am"])
            #expect(try await carol.texts("room") == ["here I am", "welcome"])
            let details = try await carol.details("room")
            let there = try await eve.epochAuthenticator("room")
            #expect(details.epochAuthenticator == there)
            #expect(Set(details.members.filter(\.onRoster).map(\.username)) == ["eve", "carol"], "\(details)")
            #expect(await eve.refusals == [])
        }
    }
}
