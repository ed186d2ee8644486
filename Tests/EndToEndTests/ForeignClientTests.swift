import ConclaveProtocol
import Foundation
import Testing

extension EndToEnd {
    /// Another kind of client among Waxwing's, with the habits of the reference client.
    @Suite struct ForeignClientTests {
        /// What a part of the story is about.
        enum Scene: CaseIterable, Sendable {
            /// All rotate at the same moment.
            case race
            /// The foreign client rotates without having read the log.
            case blindRotation
            /// It goes on committing where that led it, and talks there.
            case deadBranch
            /// It joins from outside twice in a row.
            case twoResets
            /// It joins from outside, and rotates at once.
            case resetAndRotation
            /// Everyone talks.
            case talk
            /// Waxwing's members rotate one after the other.
            case rotations
        }

        /// `WAXWING_FOREIGN_SEEDS=FIRST-LAST` tells other stories; each failure names its seed.
        private static let seeds: [UInt64] = {
            let text = ProcessInfo.processInfo.environment["WAXWING_FOREIGN_SEEDS"] ?? "1-1"
            let bounds = text.split(separator: "-").compactMap { UInt64($0) }
            guard let first = bounds.first, let last = bounds.last, first <= last else { return [1] }
            return Array(first...last)
        }()

        @Test(arguments: Server.Ordering.allCases, seeds)
        func waxwingsMembersStayTogetherAndNewcomersGetIn(_ ordering: Server.Ordering, _ seed: UInt64) async throws {
            try await withStage(ordering) { stage in
                var story = try await Story(stage, seed: seed)
                try await story.begin()
                for scene in Scene.allCases.shuffled(using: &story.dice).prefix(5) { try await story.play(scene) }
                try await story.settle()
                try await story.invite("carol")
                try await story.play(Scene.allCases.randomElement(using: &story.dice) ?? .race)
                try await story.settle()
                try await story.logIn(again: "bob")
                try await story.play(.talk)
                try await story.settle()
            }
        }

        /// A commit may refer to a proposal that the others no longer keep in memory, as one member sent so many.
        @Test func aCommitMayReferToOneOfVeryManyProposals() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let fay = try await ForeignClient("fay", at: stage.server.port, seed: 1)
                let gus = try await ForeignClient("gus", at: stage.server.port, seed: 2)
                try await stage.room(people)
                for foreign in [fay, gus] {
                    try await people[0].run("invite", "room", foreign.name)
                    try await foreign.accept("room")
                    for person in people { try await person.sync() }
                    try await fay.read("room")
                }
                // Only admins propose to remove others.
                let (port, admin, member) = (await stage.server.port, people[0], fay.userID)
                try await onThread {
                    let (group, token) = try ServerLog.open("room", admin, port)
                    try ServerLog.ask(Endpoint.promote(member, group: group, token: token), port)
                }
                // Of leaves that are blank, so that no one would commit them.
                for number in 0..<520 {
                    _ = try await fay.propose(["op": "propose_remove", "index": 40], number: number, in: "room")
                }
                let leaving = try await fay.propose(
                    ["op": "propose_remove", "identity": fay.identity], number: 520, in: "room")
                for person in people { try await person.sync() }
                // Only Gus has seen this one.
                try await gus.look(at: leaving, in: "room")
                try await gus.rotate("room")
                for person in people { try await person.sync() }
                let epochs = [
                    try await gus.epochAuthenticator("room"), try await people[0].details("room").epochAuthenticator,
                    try await people[1].details("room").epochAuthenticator,
                ]
                #expect(Set(epochs).count == 1, "somebody did not follow")
                let inTree = try await people[0].details("room").members.filter(\.inTree).map(\.username)
                #expect(Set(inTree) == ["alice", "bob", "gus"])
            }
        }
    }
}

/// What happens in one room, from one seed.
private struct Story {
    let stage: Stage
    let seed: UInt64
    var dice: Dice
    let fay: ForeignClient
    /// Waxwing's members, the profiles that are in use.
    private var members: [Person]
    /// What each has sent since all of `members` have been in.
    private var sent: [Person: [String]] = [:]
    private var number = 0
    /// Whether Alice founded the room and invites people, or the foreign client.
    private var isOurs = true
    private(set) var scenes: [EndToEnd.ForeignClientTests.Scene] = []

    init(_ stage: Stage, seed: UInt64) async throws {
        self.stage = stage
        self.seed = seed
        dice = Dice(seed: seed)
        members = try await stage.people("alice", "bob")
        fay = try await ForeignClient("fay", at: stage.server.port, seed: seed)
    }

    private var comment: Comment { "seed \(seed), \(scenes)" }

    /// Alice founds the room, or the foreign client does.
    mutating func begin() async throws {
        isOurs = Bool.random(using: &dice)
        if isOurs {
            try await stage.room(members)
            try await members[0].run("invite", "room", "fay")
            try await fay.accept("room")
        } else {
            try await fay.create("room")
            for person in members {
                try await fay.invite(person.name, to: "room")
                try await person.sync()
                try await person.run("accept", "room")
                try await fay.read("room")
            }
        }
        for person in members { try await person.sync() }
        try await fay.read("room")
        try await expectTogether()
    }

    mutating func play(_ scene: EndToEnd.ForeignClientTests.Scene) async throws {
        scenes.append(scene)
        for person in members { try await say(person) }
        switch scene {
        case .race:
            try await fay.read("room")
            for person in members { try await person.run("group", "rotate", "room", "--queue") }
            try await withThrowingTaskGroup(of: Void.self) { [fay, members] tasks in
                for person in members { tasks.addTask { try await person.sync() } }
                tasks.addTask { try await fay.rotate("room") }
                try await tasks.waitForAll()
            }
        case .blindRotation:
            try await sync()
            try await fay.rotate("room")
        case .deadBranch:
            try await fay.rotate("room")
            try await sync()
            try await fay.send("fay is alone, \(number)", to: "room")
            try await fay.rotate("room")
        case .twoResets:
            try await fay.reset("room")
            if Bool.random(using: &dice) { try await sync() }
            try await fay.reset("room")
        case .resetAndRotation:
            try await fay.reset("room")
            try await fay.rotate("room")
        case .talk:
            try await sync()
            try await fay.read("room")
            try await fay.send("fay talks, \(number)", to: "room")
        case .rotations:
            for person in members {
                try await person.run("group", "rotate", "room", "--queue")
                try await person.sync()
            }
        }
        if Bool.random(using: &dice) { try await sync() }
    }

    private mutating func say(_ person: Person) async throws {
        number += 1
        let text = "\(person.name) \(number)"
        try await person.run("send", "room", text, "--queue")
        sent[person, default: []].append(text)
    }

    /// In an order of its own.
    private mutating func sync() async throws {
        for person in members.shuffled(using: &dice) { try await person.sync() }
    }

    /// No one does anything but sync: then Waxwing's members are together, and have read each other's texts, once and
    /// in order.
    mutating func settle() async throws {
        try await stage.settle(members)
        try await expectTogether()
        for person in members {
            let history = try await person.history("room")
            for (sender, texts) in sent {
                let read = history.filter { $0.sender == sender.name }.compactMap(\.text).filter(texts.contains)
                #expect(read == texts, "\(person.name) does not read what \(sender.name) sent; \(comment)")
            }
        }
    }

    private func expectTogether() async throws {
        let states = try await states()
        #expect(Set(states).count == 1, "Waxwing's members have split: \(states); \(comment)")
    }

    private func states() async throws -> [String] {
        var states: [String] = []
        for person in members {
            let details = try await person.details("room")
            states.append("\(details.status), epoch \(details.epoch), \(details.epochAuthenticator ?? "no keys")")
        }
        return states
    }

    // MARK: Newcomers

    /// One of the members invites someone new; the foreign client goes on as it does.
    mutating func invite(_ name: String) async throws {
        let newcomer = try await stage.people(name)[0]
        if isOurs {
            try await members[0].run("invite", "room", name)
            if Bool.random(using: &dice) { try await fay.reset("room") }
        } else {
            try await fay.reset("room")
            try await fay.invite(name, to: "room")
        }
        try await newcomer.sync()
        _ = try await newcomer.attempt("accept", "room", "--wait", "1")
        try await comesIn(newcomer)
    }

    /// Someone logs in on another profile, whose leaf replaces the one before.
    mutating func logIn(again name: String) async throws {
        if Bool.random(using: &dice) { try await fay.rotate("room") }
        if Bool.random(using: &dice) { try await fay.reset("room") }
        let again = try Person(name, folder: stage.folder + "/again")
        try await again.run("login", name, "--server", stage.url, "--password-file", again.passwordFile)
        members.removeAll { $0.name == name }
        try await comesIn(again)
    }

    private mutating func comesIn(_ newcomer: Person) async throws {
        members.append(newcomer)
        sent = [:]
        for _ in 0..<2 { try await sync() }
        let state = try await newcomer.details("room").status
        #expect(state == "active", "\(newcomer.name) is \(state) after two syncs of everybody; \(comment)")
        // A member may have let them in by a commit that some have not fetched yet.
        try await sync()
        let states = try await states()
        #expect(Set(states).count == 1, "\(newcomer.name) is not with the others: \(states); \(comment)")
    }
}
