import ConclaveProtocol
import Foundation
import Testing

extension EndToEnd.AttackTests {
    /// The server lets in someone it made up, and removes that row from the log. Both members come back by themselves.
    @Test(arguments: Variant.chosen(for: "ghost", .new, .seen, .verified))
    func aGhostWhoseRowIsGoneReadsNothing(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let ghost = try await scene.stranger("ghost")
            try await scene.haunt(ghost)
            for person in scene.people + scene.people { try await person.sync() }
            for person in scene.people {
                try await scene.expectHeld(
                    person, "a secret of \(person.name)", for: ghost.userID, "stranger", "cameUnseen")
                try await scene.expectTold(person, "heldAsStranger", of: ghost.userID)
            }
            try await scene.expectOut(ghost)
        }
    }

    /// The same, and the server gives the ghost a friend's name.
    @Test(arguments: Variant.chosen(for: "friend", .seen, .verified))
    func aGhostNamedLikeAFriendIsNotTakenForThem(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            if variant.acquaintance == .verified { try await scene.verify("bob", by: alice) }
            let bobsID = try await scene.lies.id(of: "bob")
            try await bob.write("this is bob")
            try await alice.sync()
            let ghost = try await ForeignClient("shade", at: scene.stage.server.port, seed: 7)
            try await scene.lies.rename(ghost.userID, to: "bob", instead: "robert")
            try await scene.haunt(ghost, isListed: true)
            for person in scene.people + scene.people { try await person.sync() }
            // It follows them, and speaks.
            try await ghost.overhear(try await scene.lies.log(), in: "room")
            try await scene.lies.append(try await ghost.seal("this is bob, too", in: "room"), from: ghost.userID)
            try await scene.expectHeld(alice, "a secret of alice", for: ghost.userID, "stranger", "cameUnseen")
            try await scene.expectTold(alice, "heldAsStranger", of: ghost.userID)
            let lines = try await alice.history("room").filter { $0.text != nil && $0.sender != "alice" }
            #expect(
                lines.map(\.sender) == [bobsID, ghost.userID].map { "bob.\($0.description.prefix(8))" }, "\(lines)")
            try await scene.expectReadsNothing(ghost)
        }
    }

    enum Door: CaseIterable, Sendable {
        /// The server puts them on the roster, so that its own rules let them in.
        case roster
        /// It makes the room a public one.
        case visibility
    }

    /// Someone new joins a private room from outside.
    @Test(arguments: Variant.chosen(for: "private room", .new, .seen, .verified), Door.allCases)
    func aStrangerInAPrivateRoomReadsNothing(variant: Variant, door: Door) async throws {
        try await withAttack(variant) { scene in
            let stranger = try await scene.stranger("stranger")
            switch door {
            case .roster:
                try await scene.lies.enlist(stranger.userID)
                _ = try await stranger.knock(at: "room")
            case .visibility:
                try await scene.lies.setPublic(true)
                try await stranger.joinPublic("room")
            }
            for person in scene.people {
                try await scene.expectHeld(person, "a secret of \(person.name)", for: stranger.userID, "stranger")
                try await scene.expectTold(person, "heldAsStranger", of: stranger.userID)
            }
            try await scene.expectOut(stranger)
        }
    }

    /// An ordinary member joins again, with the admin's id and in the admin's place.
    @Test(arguments: Variant.chosen(for: "admin's place", .seen, .verified))
    func whoTakesTheAdminsPlaceReadsNothing(variant: Variant) async throws {
        try await withAttack(variant) { scene in
            let (alice, bob) = (scene.alice, scene.bob)
            let alicesID = try await scene.lies.id(of: "alice")
            let mallory = try await scene.member("mallory")
            if variant.acquaintance == .verified { try await scene.verify("alice", by: bob) }
            let info = try await scene.lies.groupInfo()
            let commit = try await mallory.enter("room", as: alicesID, replacing: true, by: info)
            await #expect(throws: ProtocolError.self) { try await mallory.handIn(commit, at: "room") }
            let next = try await mallory.groupInfo(of: "room")
            try await bob.run("send", "room", "for alice alone", "--queue")
            try await scene.lies.take(commit: commit, groupInfo: next, from: alicesID)
            // Someone who was only seen may have a new key: that is shown before anything leaves.
            try await bob.sync()
            try await scene.expectReadsNothing(mallory)
            #expect(try await bob.outbox().first { $0.text == "for alice alone" }?.state == "held")
            if variant.acquaintance == .verified {
                try await scene.expectHeld(bob, "and this", for: alicesID, "notTheVerifiedKey")
                try await scene.expectReadsNothing(mallory)
            }
            // She is told, and asked whether she wants to come back, with the key that is hers.
            for _ in 0..<2 { try await alice.sync() }
            try await scene.expectTold(alice, "deviceReplaced", of: alicesID)
            try await scene.expectTold(alice, "weWereRemoved", of: alicesID)
            try await alice.run("accept", "room")
            try await scene.expectTold(alice, "joined", of: scene.lies.id(of: "bob"))
            for person in [alice, bob] { try await person.sync() }
            try await scene.expectGoesOn()
            try await scene.expectReadsNothing(mallory)
            #expect(try await alice.texts("room").contains("for alice alone"))
            try await scene.expectTold(bob, "deviceReplaced", of: alicesID)
            try await scene.expectTold(bob, "rejoined", of: alicesID)
        }
    }

    enum Double: CaseIterable, Sendable {
        /// Of the attacker; a server that cannot know better accepts it.
        case ofThemselves
        case ofAnother
    }

    /// Someone joins a second time beside the leaf that is there.
    @Test(arguments: Variant.chosen(for: "second leaf", .seen), Double.allCases)
    func aSecondLeafIsRefusedByAll(variant: Variant, double: Double) async throws {
        try await withAttack(variant) { scene in
            let mallory = try await scene.member("mallory")
            let epoch = try await scene.bob.details("room").epoch
            let info = try await scene.lies.groupInfo()
            let user = double == .ofThemselves ? mallory.userID : try await scene.lies.id(of: "bob")
            let commit = try await mallory.enter("room", as: user, replacing: false, by: info)
            switch double {
            case .ofThemselves: try await mallory.handIn(commit, at: "room")
            case .ofAnother:
                await #expect(throws: ProtocolError.self) { try await mallory.handIn(commit, at: "room") }
                let next = try await mallory.groupInfo(of: "room")
                try await scene.lies.take(commit: commit, groupInfo: next, from: user)
            }
            for person in scene.people {
                try await person.sync()
                try await scene.expectTold(person, "triedToEnter", of: user)
                #expect(try await person.details("room").epoch == epoch, "\(person.name)")
            }
            try await scene.expectGoesOn()
            try await scene.expectReadsNothing(mallory)
        }
    }
}

extension AttackScene {
    /// Lets someone into the room without a row in the log, as if they had always been there.
    func haunt(_ ghost: ForeignClient, isListed: Bool = false) async throws {
        try await lies.enlist(ghost.userID)
        let commit = try await ghost.knock(at: "room")
        try await ghost.uploadGroupInfo(of: "room")
        try await lies.append(try await ghost.seal("boo", in: "room"), from: ghost.userID)
        try await lies.delete(commit)
        if !isListed { try await lies.strike(ghost.userID) }
    }

    /// What waits because of someone goes out once they are removed, and never to them.
    func expectOut(_ stranger: ForeignClient, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await expectReadsNothing(stranger, sourceLocation: sourceLocation)
        try await alice.run("group", "remove", "room", stranger.userID.description)
        try await stage.settle(people)
        try await expectReadsNothing(stranger, sourceLocation: sourceLocation)
        for person in people {
            let texts = try await person.texts("room")
            #expect(
                Set(texts) == Set(people.map { "a secret of \($0.name)" }), "\(person.name) reads \(texts)",
                sourceLocation: sourceLocation)
        }
    }
}
