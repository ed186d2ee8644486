import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What must hold in the end.
extension HonestStory {
    /// The network is well, and everyone looks at everything.
    func comeToRest() throws {
        for round in 0..<6 {
            pass(seconds: 6 * 3600)
            // The room goes on: someone who has parted from it sees that by others' commits.
            if round > 0, round < 4 { try rotate(["alice", "bob", Self.bot][round - 1]) }
            for person in world.people {
                try world.sync(person)
                try decide(person, about: .all)
                try world.sync(person)
                try look(at: person)
            }
            for member in foreign {
                try member.sync()
                if member.isLost { try reset(member) }
            }
        }
        for person in world.people {
            try world.sync(person)
            try decide(person, about: .all)
            try world.sync(person)
        }
        for member in foreign { try member.sync() }
    }

    func summary(_ place: String) -> String {
        let total = ledger.counts.values.reduce(0, +)
        let events = Happening.allCases.map { "\($0) \(happened[$0] ?? 0)" }.joined(separator: ", ")
        let commits = room.map { world.log(of: $0).count - said.count } ?? 0
        return "honest weeks, \(place): \(said.count) messages, \(commits) other rows; \(events)\n"
            + "  \(rowsHeld) messages waited, for \(total) members:\n" + ledger.table
    }

    /// All are in the same epoch of the same branch, nothing waits, and each message is read once by everyone who was
    /// in the room.
    func expectNothingLost(_ place: String) throws {
        let inside = try world.people.filter { try record($0) != nil }
        var keys: [String: [String]] = [:]
        for person in inside {
            let details = try person.core.details(of: #require(try record(person)).id)
            keys[details.map { "\($0.epoch) \($0.epochAuthenticator)" } ?? "none", default: []].append(person.name)
        }
        for member in foreign where member.isIn && !member.isLost {
            keys["\(member.state!.epoch) \(hexEncode(member.state!.epochAuthenticator.unwipedCopy))", default: []]
                .append(member.name)
        }
        #expect(keys.count == 1, "\(place): the group is split, \(keys)\n\(world.report("room"))")

        var places: [String: (epoch: UInt64, sequence: UInt64)] = [:]
        var read: [String: [String: Int]] = [:]
        for person in world.people {
            guard let group = try person.reader.groups(named: "room").first else { continue }
            for (_, row) in try person.reader.history(group.id, limit: 100_000) {
                guard case .text(let text) = row.content, let sequence = row.sequence else { continue }
                places[text] = (row.epoch, sequence)
                read[person.name, default: [:]][text, default: 0] += 1
            }
        }
        // What someone had not sent when they were removed is shown as failed, with its text.
        var failed: Set<String> = []
        for person in world.people + retired {
            for case .message(let text, _) in try person.reader.outbox().filter(\.isFailed).map(\.intent) {
                failed.insert(text)
            }
        }
        for (name, text) in said where !failed.contains(text) {
            guard let at = places[text] else {
                Issue.record("\(place): \(name)'s \"\(text)\" is lost")
                continue
            }
            for person in inside where at.epoch >= since[person.name] ?? .max {
                let count = read[person.name]?[text] ?? 0
                #expect(count == 1, "\(place): \(person.name) has read \"\(text)\" of epoch \(at.epoch) \(count) times")
            }
            for member in foreign where member.isIn && !member.isLost && at.epoch >= member.joinedEpoch {
                #expect(
                    member.name == name || member.texts.contains(text),
                    "\(place): \(member.name) has not read \"\(text)\" of epoch \(at.epoch)")
            }
        }
        for person in inside {
            let left = try person.reader.outbox().filter { !$0.isFailed }
            #expect(
                left.isEmpty,
                "\(place): \(person.name) still has \(left.map { "\($0.intent) \($0.state) \($0.trouble?.token ?? "")" })"
            )
        }
    }
}
