import ConclaveProtocol
import Foundation
import Testing

/// A room with alice, its admin, and bob; a server whose operator lies; and the checks after an attack.
struct AttackScene: Sendable {
    let variant: Variant
    let stage: Stage
    let alice: Person
    let bob: Person
    let lies: Operator

    var people: [Person] { [alice, bob] }

    /// A line of `trust list --json`.
    struct Held: Decodable {
        var username: String
        var userID: String
        var objection: String
        var standing: String
        var fingerprint: String
    }

    // MARK: Who attacks

    /// Someone with another kind of client, whom alice knows from another room as well as the variant says.
    func stranger(_ name: String) async throws -> ForeignClient {
        let stranger = try await ForeignClient(name, at: stage.server.port, seed: 7)
        guard variant.acquaintance != .new else { return stranger }
        try await alice.run("group", "create", "lobby")
        try await alice.run("invite", "lobby", name)
        try await stranger.accept("lobby")
        try await alice.sync()
        if variant.acquaintance == .verified { try await verify(name, by: alice, in: "lobby") }
        return stranger
    }

    /// An ordinary member of the room with a client of their own.
    func member(_ name: String, provider: BadSeals? = nil) async throws -> ForeignClient {
        let port = await stage.server.port
        let member =
            if let provider {
                try await ForeignClient(name, at: port, seed: 11, provider: provider)
            } else {
                try await ForeignClient(name, at: port, seed: 11)
            }
        try await alice.run("invite", "room", name)
        try await member.accept("room")
        for person in people { try await person.sync() }
        try await member.read("room")
        return member
    }

    func verify(_ name: String, by person: Person, in group: String = "room") async throws {
        let members = try await person.details(group).members
        let key = try #require(members.first { $0.username == name }?.fingerprint)
        try await person.run("trust", "verify", name, "--fingerprint", key)
    }

    // MARK: What holds afterwards

    /// What is written does not leave, and the person is told whom it waits for.
    func expectHeld(
        _ person: Person, _ text: String, for user: ID, _ objections: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let send = try await person.attempt("send", "room", text)
        #expect(send.status == 21, "\(send.output)\(send.errors)", sourceLocation: sourceLocation)
        let row = try await person.outbox().first { $0.text == text }
        #expect(row?.state == "held", "\(row.debugDescription)", sourceLocation: sourceLocation)
        let held = try await held(person)
        #expect(held.map(\.userID) == [user.description], "\(held)", sourceLocation: sourceLocation)
        for leaf in held {
            #expect(objections.contains(leaf.objection), "\(leaf)", sourceLocation: sourceLocation)
            #expect(send.output.contains(leaf.username), "\(send.output)", sourceLocation: sourceLocation)
        }
        // Not with the next sync either.
        try await person.sync()
    }

    func held(_ person: Person) async throws -> [Held] {
        try await person.run("trust", "list", "room", "--json").json(Held.self)
    }

    /// Whatever the attacker sees of the log, they read nothing of what was written since.
    func expectReadsNothing(_ attacker: ForeignClient, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await attacker.overhear(try await lies.log(), in: "room")
        let texts = await attacker.texts
        #expect(texts.isEmpty, "\(attacker.name) has read \(texts)", sourceLocation: sourceLocation)
    }

    /// A person's history has a line about someone.
    func expectTold(
        _ person: Person, _ kind: String, by actor: ID? = nil, of user: ID,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let events = try await person.history("room").flatMap { $0.events ?? [] }
        let isTold = events.contains {
            $0.kind == kind && $0.subjectID == user.description && actor.map(\.description) ?? $0.actorID == $0.actorID
        }
        let told = events.map { "\($0.kind) \($0.actor) \($0.subject)" }
        #expect(isTold, "\(person.name) is not told \(kind): \(told)", sourceLocation: sourceLocation)
    }

    /// A person's history shows a row that could not be opened, and from whom it was.
    func expectShown(
        _ person: Person, _ reason: String, by user: ID, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let lines = try await person.history("room").filter { $0.kind == "unreadable" }
        let isShown = lines.contains { $0.reason == reason && $0.senderID == user.description }
        let shown = lines.map { "\($0.reason ?? "") \($0.sender)" }
        #expect(isShown, "\(person.name) is not shown \(reason): \(shown)", sourceLocation: sourceLocation)
    }

    /// Everyone is in one epoch and changes the keys, and everyone reads what each of them says.
    func expectGoesOn(
        _ members: [Person]? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let members = members ?? people
        try await stage.settle(members)
        try await alice.run("group", "rotate", "room")
        for person in members { try await person.write("\(person.name) goes on") }
        try await stage.settle(members)
        var keys: Set<String?> = []
        for person in members {
            keys.insert(try await person.details("room").epochAuthenticator)
            let texts = try await person.texts("room").filter { $0.hasSuffix("goes on") }
            #expect(
                Set(texts) == Set(members.map { "\($0.name) goes on" }) && texts.count == members.count,
                "\(person.name) reads \(texts)", sourceLocation: sourceLocation)
        }
        #expect(keys.count == 1 && !keys.contains(nil), "the group has split", sourceLocation: sourceLocation)
    }
}

/// Sets the scene for one attack.
func withAttack(
    _ variant: Variant, hasNetwork: Bool = false, _ play: (AttackScene) async throws -> Void
) async throws {
    try await withStage(variant.ordering, hasNetwork: hasNetwork, store: variant.store) { stage in
        let people = try await stage.people("alice", "bob")
        try await stage.room(people)
        let scene = AttackScene(
            variant: variant, stage: stage, alice: people[0], bob: people[1], lies: Operator(of: stage))
        try await play(scene)
    }
}
