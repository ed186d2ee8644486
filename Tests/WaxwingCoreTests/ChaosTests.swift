import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// Long random lives under faults, with checkers: first that nothing is ever wrong, then that everything comes to rest.
@Suite struct ChaosTests {
    /// `WAXWING_SEEDS=FIRST-LAST` runs other seeds; a failure names its seed.
    static let seeds: [UInt64] = {
        guard let range = environment("WAXWING_SEEDS") else { return Array(1...6) }
        let ends = range.split(separator: "-").compactMap { UInt64($0) }
        return ends.count == 2 ? Array(ends[0]...ends[1]) : Array(1...6)
    }()

    @Test(arguments: seeds, [true, false])
    func everyMessageArrivesOnceWhateverHappens(seed: UInt64, strict: Bool) throws {
        let world = World(seed: seed, strict: strict)
        // Other servers order nothing and read nothing.
        world.server.readsHandshakes = strict || seed % 2 == 0
        world.server.knowsIdempotencyKeys = seed % 3 != 0
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")

        var sent: [String: [String]] = [:]
        world.fault = { _, _ in
            switch world.chance.below(10) {
            case 0: .answerLost
            case 1: .requestLost
            case 2: .linkDown
            default: .none
            }
        }
        for round in 0..<60 {
            let person = world.people[world.chance.below(3)]
            let group = try world.group("room", of: person).id
            switch world.chance.below(8) {
            case 0...3:
                let text = "\(person.name) \(round)"
                try world.perform(.send(group: group, text: text), person)
                sent[person.name, default: []].append(text)
            case 4:
                try world.perform(.rotate(group: group), person)
            default:
                break
            }
            if world.chance.below(2) == 0 {
                try world.step(.connect(live: false), person)
                for _ in 0..<world.chance.below(30) where try !world.stir(person) {
                    break
                }
                if world.chance.below(3) == 0 { try world.crash(person) }
            }
            world.now = world.now.advanced(byMilliseconds: UInt64(world.chance.below(20_000)))
        }

        world.fault = { _, _ in .none }
        try world.syncAll(rounds: 5)
        try world.expectConverged("room")
        for person in world.people {
            let texts = try world.texts("room", person)
            for sender in world.people {
                let fromSender = texts.filter { $0.hasPrefix("\(sender.name): ") }
                #expect(
                    fromSender == (sent[sender.name] ?? []).map { "\(sender.name): \($0)" },
                    "\(person.name) reads not exactly what \(sender.name) sent, in order")
            }
            let unreadable = try world.lines("room", person).filter { $0.contains("unreadable") }
            #expect(unreadable.isEmpty, "a ratchet key was used twice, or a row was lost: \(unreadable)")
        }
    }

    @Test(arguments: seeds, [true, false])
    func membersComeAndGoWhateverHappens(seed: UInt64, strict: Bool) throws {
        let world = World(seed: seed &+ 1000, strict: strict)
        // Other servers order nothing and read nothing.
        world.server.readsHandshakes = strict || seed % 2 == 0
        world.server.knowsIdempotencyKeys = seed % 3 != 0
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        for name in ["carol", "dave"] { try world.sync(world.add(name)) }
        let alice = world.people[0]

        world.fault = { _, _ in
            switch world.chance.below(12) {
            case 0: .answerLost
            case 1: .requestLost
            default: .none
            }
        }
        let room = try world.group("room", of: alice).id
        try world.perform(.invite(group: room, username: "carol"), alice)
        try world.perform(.invite(group: room, username: "dave"), alice)
        for round in 0..<50 {
            let person = world.people[world.chance.below(4)]
            for invite in try person.reader.invites() where world.chance.below(2) == 0 {
                if try person.reader.outbox().contains(where: { $0.group == invite.group }) { continue }
                try world.perform(.accept(invite: invite.id), person)
            }
            if let group = try person.reader.groups(named: "room").first, group.status == .active {
                switch world.chance.below(4) {
                case 0: try world.perform(.send(group: group.id, text: "\(person.name) \(round)"), person)
                case 1: try world.perform(.rotate(group: group.id), person)
                default: break
                }
            }
            try world.step(.connect(live: false), person)
            for _ in 0..<world.chance.below(40) where try !world.stir(person) {
                break
            }
            if world.chance.below(4) == 0 { try world.crash(person) }
            world.now = world.now.advanced(byMilliseconds: UInt64(world.chance.below(30_000)))
        }

        world.fault = { _, _ in .none }
        for _ in 0..<6 {
            try world.syncAll(rounds: 1)
            for person in world.people {
                for invite in try person.reader.invites()
                where try !person.reader.outbox().contains(where: { $0.group == invite.group }) {
                    try world.perform(.accept(invite: invite.id), person)
                }
            }
        }
        try world.syncAll(rounds: 3)
        var authenticators: Set<String> = []
        for person in world.people {
            let group = try world.group("room", of: person)
            #expect(group.status == .active, "\(person.name) is not in: \(world.report("room"))")
            let details = try #require(try person.core.details(of: group.id))
            #expect(details.members.count == 4, "\(world.report("room"))")
            authenticators.insert("\(details.epoch) \(details.epochAuthenticator)")
            let left = try person.reader.outbox().filter { !$0.isFailed }
            #expect(
                left.isEmpty,
                "\(person.name) still has \(left.map { "\($0.intent) \($0.state) \($0.trouble?.token ?? "")" })")
        }
        #expect(authenticators.count == 1, "the group is split: \(world.report("room"))")
    }
}
