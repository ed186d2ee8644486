import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Weeks in the life of a room where no one lies: ten members, of whom three have another kind of client, and two who
/// come later.
final class HonestStory {
    enum Setting: CaseIterable, Sendable { case waxwingd, openOrdering }

    /// Waxwing's people. The bot answers and no one watches it.
    static let cast: [(name: String, level: TrustLevel)] = [
        ("alice", .usual), ("bob", .usual), ("carol", .strict), ("dave", .usual), ("eve", .follow), ("hal", .follow),
        ("ivy", .strict), ("olaf", .usual),
    ]
    static let foreignNames = ["gus", "mona", "nora", "pia"]
    /// Not in the room when the story begins.
    static let newcomers: Set = ["olaf", "pia"]
    static let bot = "hal"
    /// They invite and remove, and stay.
    static let admins = ["alice", "bob", "gus"]

    let world: World
    let chance: SeededEntropy
    var ledger = HoldLedger()
    var foreign: [ForeignMember] = []
    /// Who said what, in order.
    var said: [(by: String, text: String)] = []
    var texts = 0
    let setting: Setting
    /// By name: the epoch from which someone reads everything, as of the last look.
    var since: [String: UInt64] = [:]
    /// Left without a word in the log.
    var unlisted: Set<String> = []
    /// Messages that waited for a person, and how often each thing happened.
    var rowsHeld = 0
    var happened: [Happening: Int] = [:]
    /// A row of the bot that was held.
    var botStops: [String] = []
    /// Profiles on devices that are gone. Kept so that no other one is mistaken for them.
    var retired: [World.Person] = []
    private var looked: [ObjectIdentifier: Int] = [:]
    private(set) var room: ID?

    init(_ setting: Setting, seed: UInt64) throws {
        self.setting = setting
        world = World(
            seed: seed, strict: setting == .waxwingd, daemon: try setting == .waxwingd ? Daemon() : nil)
        world.server.readsHandshakes = false
        world.server.knowsIdempotencyKeys = setting == .waxwingd
        world.server.knowsContests = false
        world.peopleRead = false
        chance = SeededEntropy(seed &* 77 &+ 5)
        for (name, level) in Self.cast {
            let person = try world.add(name)
            try arrive(person, level)
        }
        foreign = try Self.foreignNames.map { try ForeignMember($0, world) }
        for member in foreign { ledger.has(member.id, key: member.fingerprint) }
        ledger.names = world.names
        try begin()
    }

    // MARK: People

    func person(_ name: String) throws -> World.Person { try #require(world.people.first { $0.name == name }) }

    func level(of person: World.Person) -> TrustLevel {
        Self.cast.first { $0.name == person.name }?.level ?? .usual
    }

    /// On a profile that has just been made.
    func arrive(_ person: World.Person, _ level: TrustLevel) throws {
        try world.perform(.trust(level, group: nil), person)
        ledger.has(person.id, key: try #require(try person.reader.account()).fingerprint)
        try world.sync(person)
    }

    /// The group's record of someone who is in.
    func record(_ person: World.Person) throws -> GroupRecord? {
        try person.reader.groups(named: "room").first { $0.status == .active }
    }

    /// The epoch that the group is in, as far as anyone has got.
    func epoch() throws -> UInt64 {
        try world.people.compactMap { try record($0) }.filter { $0.entry == .proven }.map(\.epoch).max() ?? 0
    }

    func isIn(_ name: String) throws -> Bool {
        if let member = foreign.first(where: { $0.name == name }) { return member.isIn }
        return try record(person(name)) != nil
    }

    func isRarely(_ one: Int) -> Bool { chance.below(one) == 0 }

    func pick<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[chance.below(values.count)] }

    /// In another order each time.
    func mixed<Value>(_ values: [Value]) -> [Value] {
        values.map { ($0, chance.next()) }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    func pass(seconds: Int) {
        world.now = world.now.advanced(byMilliseconds: UInt64(seconds) * 1000)
        world.server.time = max(world.server.time, world.now.seconds)
    }

    // MARK: How it begins

    private func begin() throws {
        let alice = try person("alice")
        try world.perform(.createGroup(name: "room", alias: ""), alice)
        try world.sync(alice)
        room = try #require(try record(alice)).serverID
        for (name, _) in Self.cast.dropFirst() where !Self.newcomers.contains(name) {
            try invite(name, by: "alice")
            try accept(name)
            try decide(person(name), about: .all)
            try world.sync(alice)
        }
        for member in foreign where !Self.newcomers.contains(member.name) {
            try invite(member.name, by: "alice")
            try accept(member.name)
            try world.sync(alice)
        }
        try promote("bob")
        try promote("gus")
        for person in world.people where person.name != "olaf" {
            try world.sync(person)
            try decide(person, about: .all)
        }
    }

    func promote(_ name: String) throws {
        let alice = try person("alice")
        let user = try foreign.first { $0.name == name }?.id ?? person(name).id
        let call = Endpoint.promote(user, group: try #require(room), token: world.token(of: alice.id))
        _ = world.answer(call.request)
    }

    // MARK: Looking at what is held

    /// Notes whom messages of this person wait for.
    func look(at person: World.Person) throws {
        let news = person.notices[(looked[ObjectIdentifier(person)] ?? 0)...]
        looked[ObjectIdentifier(person)] = person.notices.count
        let newlyHeld = news.filter { if case .outbox(let row) = $0 { row.state == .held } else { false } }.count
        rowsHeld += newlyHeld
        guard let record = try record(person) else {
            since[person.name] = nil
            return
        }
        since[person.name] = record.joinedEpoch
        let room = try person.reader.room(record.id)
        let holds = room?.holds ?? []
        for leaf in holds { try ledger.note(leaf, person, level(of: person), joinedEpoch: record.joinedEpoch) }
        for leaf in room?.leaves ?? [] { ledger.sees(leaf, person) }
        if person.name == Self.bot, newlyHeld > 0 || !holds.isEmpty {
            botStops += holds.map { "\(name(of: $0.user)): \($0.objection), \($0.way)" } + ["\(newlyHeld) rows"]
        }
    }

    func name(of user: ID) -> String { world.names[user] ?? "\(user)" }

    enum Extent { case all, some }

    /// Someone reads the lines about members, and decides about those who are held: one command for each.
    func decide(_ person: World.Person, about extent: Extent) throws {
        try look(at: person)
        guard person.name != Self.bot, let record = try record(person) else { return }
        try world.readNews(person)
        var isDone = true
        for leaf in try person.reader.room(record.id)?.leaves ?? [] {
            if leaf.standing == .accepted { ledger.isFreed(leaf, by: person) }
            guard leaf.standing == .held else { continue }
            if extent == .some, isRarely(3) {
                isDone = false
                continue
            }
            if isRarely(4) {
                try world.perform(.verify(user: leaf.user, fingerprint: leaf.fingerprint), person)
                ledger.verified(leaf.user, by: person, leaf.fingerprint)
            } else {
                try world.perform(
                    .acceptMember(group: record.id, user: leaf.user, fingerprint: leaf.fingerprint), person)
            }
            ledger.isFreed(leaf, by: person)
        }
        guard isDone else { return }
        let left = try person.reader.room(record.id)?.holds ?? []
        #expect(left.isEmpty, "one command each has not freed \(person.name): \(left)")
        #expect(try person.reader.outbox().allSatisfy { $0.state != .held }, "\(person.name)'s rows stay held")
    }
}
