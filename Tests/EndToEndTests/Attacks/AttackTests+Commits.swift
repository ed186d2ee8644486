import ConclaveProtocol
import Foundation
import Testing

/// What an ordinary member with a client of their own puts into the log, with or without the server's help.
extension EndToEnd.AttackTests {
    enum Wrong: CaseIterable, Sendable {
        /// Ends the group.
        case reInit
        /// Shuts out everyone who does not know a secret.
        case psk
        /// Lets someone outside propose.
        case outsider

        /// What members are told.
        var line: String {
            switch self {
            case .reInit: "triedToReplaceGroup"
            case .psk: "triedToNeedSecret"
            case .outsider: "triedToChangeSettings"
            }
        }
    }

    @Test(arguments: Variant.chosen(for: "commit", .seen), Wrong.allCases)
    func whatWouldEndTheGroupIsRefusedByAll(variant: Variant, wrong: Wrong) async throws {
        try await withAttack(variant) { scene in
            let mallory = try await scene.member("mallory")
            let epoch = try await scene.alice.details("room").epoch
            let forged =
                switch wrong {
                case .reInit: try await mallory.reInit("room")
                case .psk: try await mallory.lockOut(of: "room")
                case .outsider: try await mallory.nameAnOutsider(in: "room")
                }
            await #expect(throws: ProtocolError.self) { try await mallory.post(forged, to: "room") }
            await #expect(throws: ProtocolError.self) { try await mallory.post(message: forged.commit, to: "room") }
            try await scene.lies.take(commit: forged.commit, groupInfo: forged.groupInfo, from: mallory.userID)
            for person in scene.people {
                try await person.sync()
                try await scene.expectTold(person, wrong.line, of: mallory.userID)
                #expect(try await person.details("room").epoch == epoch, "\(person.name)")
            }
            try await scene.expectGoesOn()
        }
    }

    /// They let someone in, who then has all keys.
    @Test(arguments: Variant.chosen(for: "added stranger", .new, .seen, .verified))
    func whomAnOrdinaryMemberAddsReadsNothing(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let stranger = try await scene.stranger("stranger")
            let mallory = try await scene.member("mallory")
            let keyPackage = try await mallory.keyPackage(of: stranger.userID)
            let forged = try await mallory.commitToAdd(keyPackage, to: "room")
            await #expect(throws: ProtocolError.self) { try await mallory.post(forged, to: "room") }
            await #expect(throws: ProtocolError.self) { try await mallory.post(message: forged.commit, to: "room") }
            try await scene.lies.take(commit: forged.commit, groupInfo: forged.groupInfo, from: mallory.userID)
            try await scene.lies.enlist(stranger.userID)
            try await stranger.join("room", .nobody, by: forged.welcome)
            for person in scene.people {
                try await scene.expectHeld(
                    person, "a secret of \(person.name)", for: stranger.userID, "addedByNonAdmin")
                try await scene.expectTold(person, "joined", by: mallory.userID, of: stranger.userID)
            }
            try await scene.expectOut(stranger)
        }
    }

    /// They remove the admin. Without rules in the room that counts; all are told who did it, and the admin can come
    /// back.
    @Test(arguments: Variant.chosen(for: "removed admin", .seen))
    func whoPutsTheAdminOutIsNamed(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let alicesID = try await scene.lies.id(of: "alice")
            let mallory = try await scene.member("mallory")
            let forged = try await mallory.commitToRemove(alicesID, from: "room")
            await #expect(throws: ProtocolError.self) { try await mallory.post(message: forged.commit, to: "room") }
            try await mallory.post(forged, to: "room")
            for person in scene.people { try await person.sync() }
            try await scene.expectTold(bob, "removed", by: mallory.userID, of: alicesID)
            try await scene.expectTold(alice, "weWereRemoved", by: mallory.userID, of: alicesID)
            #expect(try await alice.details("room").status == "removed")
        }
    }

    /// One secret of a commit is wrong: the member it was sealed to cannot follow the others.
    @Test(arguments: Variant.chosen(for: "wrong path secret", .seen))
    func whomACommitShutsOutComesBack(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let seals = BadSeals()
            let mallory = try await scene.member("mallory", provider: seals)
            let carol = try await scene.stage.people("carol")[0]
            try await scene.alice.run("invite", "room", "carol")
            try await carol.sync()
            try await carol.run("accept", "room")
            let all = scene.people + [carol]
            for person in all { try await person.sync() }
            try await mallory.read("room")
            let carolsID = try await scene.lies.id(of: "carol")
            seals.spoil(for: try await mallory.encryptionKey(of: carolsID, in: "room"))
            try await mallory.rotate("room")
            #expect(await mallory.refusals.isEmpty)
            for person in all { try await person.sync() }
            try await scene.expectGoesOn(all)
            try await scene.expectTold(scene.alice, "rotated", by: mallory.userID, of: mallory.userID)
            let lines = try await carol.history("room").filter { $0.kind == "unreadable" }
            #expect(lines.map(\.senderID) == [mallory.userID.description], "\(lines)")
            try await scene.expectTold(carol, "rejoined", of: carolsID)
        }
    }

    /// A message of an ordinary member under another's name, as if that one's profile had been restored from a backup
    /// or were used twice.
    @Test(arguments: Variant.chosen(for: "forged claim", .seen), [0, 3])
    func aForgedClaimOfADoubledProfileMovesNothing(variant: Variant, skipped: Int) async throws {
        try await withAttack(variant) { scene in
            let alicesID = try await scene.lies.id(of: "alice")
            let mallory = try await scene.member("mallory")
            let before = try await scene.alice.details("room")
            let forged = try await mallory.seal("not by alice", in: "room", as: alicesID, skipping: skipped)
            try await scene.lies.append(forged, from: alicesID)
            let rows = try await scene.lies.log().count
            for person in scene.people {
                try await person.sync()
                let lines = try await person.history("room").filter { $0.kind == "unreadable" }
                #expect(lines.map(\.senderID) == [alicesID.description], "\(person.name): \(lines)")
            }
            let after = try await scene.alice.details("room")
            #expect(after.epochAuthenticator == before.epochAuthenticator)
            let outbox = try await scene.alice.outbox()
            #expect(outbox.isEmpty, "\(outbox)")
            #expect(try await scene.lies.log().count == rows, "somebody has changed keys")
            // The key that was used up was not the one of her next message.
            try await scene.alice.run("send", "room", "by alice")
            try await scene.bob.sync()
            #expect(try await scene.bob.texts("room") == ["by alice"])
            try await scene.expectGoesOn()
        }
    }
}
