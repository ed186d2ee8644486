import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What happens from day to day.
extension HonestStory {
    enum Happening: CaseIterable {
        case invite, lateYes, leave, remove, tidy, newDevice, reset, verify, rotate

        /// How often it happens, next to the others.
        var weight: Int {
            switch self {
            case .invite: 6
            case .lateYes, .rotate: 3
            case .leave, .remove, .newDevice, .reset, .verify, .tidy: 2
            }
        }
    }

    private static let table = Happening.allCases.flatMap { Array(repeating: $0, count: $0.weight) }

    /// Four times a day people come and go; one in seven is away all day.
    func live(days: Int) throws {
        for day in 0..<days {
            var times: [String: Set<Int>] = [:]
            for name in Self.cast.map(\.name) + Self.foreignNames {
                let isAway = isRarely(7) && name != Self.bot
                times[name] = isAway ? [] : [chance.below(4), chance.below(4)]
            }
            times[Self.bot] = [0, 1, 2, 3]
            for quarter in 0..<4 {
                pass(seconds: 5 * 3600 + chance.below(2 * 3600))
                if isRarely(2) { try happen() }
                for name in mixed(times.keys.sorted()) where times[name]?.contains(quarter) ?? false {
                    pass(seconds: chance.below(600))
                    if let member = foreign.first(where: { $0.name == name }) {
                        try live(member, day)
                    } else {
                        try live(person(name), day, reads: times[name]?.min() == quarter)
                    }
                }
            }
        }
    }

    private func live(_ person: World.Person, _ day: Int, reads: Bool) throws {
        world.fault = { [chance] _, _ in
            switch chance.below(30) {
            case 0: .answerLost
            case 1: .requestLost
            default: .none
            }
        }
        defer { world.fault = { _, _ in .none } }
        if person.name != Self.bot, isRarely(2), try record(person) != nil {
            try say("\(person.name), day \(day), \(number())" + (isRarely(6) ? ", hal?" : ""), person)
        }
        if !(try isIn(person.name)), isRarely(2) { try accept(person.name) }
        try world.sync(person)
        try look(at: person)
        if person.name == Self.bot { try answer(person) }
        if reads { try decide(person, about: .some) }
        try world.sync(person)
        try look(at: person)
    }

    private func live(_ member: ForeignMember, _ day: Int) throws {
        if !member.isIn, isRarely(2) { try accept(member.name) }
        try member.sync()
        if !member.isIn { forget(member) }
        if member.isLost { try reset(member) }
        guard member.isIn, !member.isLost, isRarely(3) else { return }
        let text = "\(member.name), day \(day), \(number())"
        if try member.send(text) {
            said.append((member.name, text))
        }
    }

    private func number() -> Int {
        texts += 1
        return texts
    }

    func say(_ text: String, _ person: World.Person) throws {
        guard let record = try record(person) else { return }
        try world.perform(.send(group: record.id, text: text), person)
        said.append((person.name, text))
        try look(at: person)
    }

    /// The bot answers each question once.
    private func answer(_ bot: World.Person) throws {
        guard try record(bot) != nil else { return }
        let texts = try world.texts("room", bot)
        for question in texts where question.hasSuffix("hal?") && !question.hasPrefix(Self.bot) {
            let answer = "to \(question)"
            if !said.contains(where: { $0.text == answer }) { try say(answer, bot) }
        }
        try world.sync(bot)
        try look(at: bot)
    }

    // MARK: Happenings

    private func happen() throws {
        for _ in 0..<5 {
            guard let what = pick(Self.table), try happen(what) else { continue }
            happened[what, default: 0] += 1
            return
        }
    }

    private func happen(_ what: Happening) throws -> Bool {
        let names = Self.cast.map(\.name) + Self.foreignNames
        let inside = try names.filter { try isIn($0) }
        let movable = inside.filter { !Self.admins.contains($0) && $0 != Self.bot }
        let inviter = pick(try Self.admins.filter { try isIn($0) }) ?? "alice"
        switch what {
        case .invite:
            guard let name = pick(names.filter { !inside.contains($0) }) else { return false }
            try invite(name, by: inviter)
        case .lateYes:
            guard let name = try names.first(where: { try !inside.contains($0) && isInvited($0) }),
                let other = pick(movable.filter { name in Self.cast.contains { $0.name == name } })
            else { return false }
            // The group moves on, and no one has renewed the invite when it is accepted.
            try rotate(other)
            try accept(name)
        case .leave:
            guard movable.count > 5, let name = pick(movable) else { return false }
            try leave(name)
        case .remove:
            guard movable.count > 5, let name = pick(movable) else { return false }
            try remove(name, by: inviter)
        case .tidy:
            guard let name = unlisted.min() else { return false }
            unlisted.remove(name)
            try remove(name, by: "alice")
        case .newDevice:
            guard let name = pick(inside.filter { name in name != Self.bot && Self.cast.contains { $0.name == name } })
            else { return false }
            try moveToNewDevice(name)
        case .reset:
            guard let name = pick(inside.filter { $0 != Self.bot }) else { return false }
            if let member = foreign.first(where: { $0.name == name }) {
                try reset(member)
            } else {
                let person = try person(name)
                try world.perform(.rejoin(group: #require(try record(person)).id), person)
                try world.sync(person)
            }
        case .verify:
            guard let name = pick(inside.filter { name in name != Self.bot && Self.cast.contains { $0.name == name } }),
                let other = pick(inside)
            else { return false }
            return try verify(other, by: name)
        case .rotate:
            guard let name = pick(inside) else { return false }
            try rotate(name)
        }
        return true
    }

    private func isInvited(_ name: String) throws -> Bool {
        if let member = foreign.first(where: { $0.name == name }) { return member.isInvited }
        let person = try person(name)
        try world.sync(person)
        return try !person.reader.invites().isEmpty
    }

    func invite(_ name: String, by inviter: String) throws {
        let user = try foreign.first { $0.name == name }?.id ?? person(name).id
        if let member = foreign.first(where: { $0.name == inviter }) {
            try member.sync()
            return try member.invite(user)
        }
        let person = try person(inviter)
        guard let record = try record(person) else { return }
        try world.perform(.invite(group: record.id, username: name), person)
        try world.sync(person)
        try look(at: person)
        for row in try person.reader.outbox() where row.isFailed {
            guard case .invite = row.intent else { continue }
            try world.perform(.discard(order: row.order), person)
            // Another key than the one that is known: they compare it, and the invite goes out.
            guard let key = ledger.key(of: user), try person.reader.fingerprints(of: user).contains(key),
                try person.reader.user(user)?.fingerprint != key
            else { continue }
            try world.perform(.verify(user: user, fingerprint: key), person)
            ledger.verified(user, by: person, key)
            try world.perform(.invite(group: record.id, username: name), person)
            try world.sync(person)
            try look(at: person)
        }
    }

    func accept(_ name: String) throws {
        guard let room else { return }
        let before = world.log(of: room).last?.sequence ?? 0
        let user: ID
        if let member = foreign.first(where: { $0.name == name }) {
            user = member.id
            try member.accept()
        } else {
            let person = try person(name)
            user = person.id
            try world.sync(person)
            guard let invite = try person.reader.invites().first else { return }
            try world.perform(.accept(invite: invite.id), person)
            try world.sync(person)
            try look(at: person)
        }
        // The server has put the inviter's commit into the log.
        for row in world.log(of: room) where row.sequence > before && row.sender != user {
            guard let summary = try? MLSMessage.summary(of: row.message), summary.contentType == .commit else {
                continue
            }
            ledger.accepted(user, inviteMadeAt: summary.epoch ?? 0, by: row.sender)
        }
    }

    private func leave(_ name: String) throws {
        if let member = foreign.first(where: { $0.name == name }) {
            try ledger.isOut(member.id, in: epoch())
            forget(member)
            member.leave()
            unlisted.insert(name)
            return
        }
        let person = try person(name)
        try world.sync(person)
        guard let record = try record(person), try person.reader.outbox().isEmpty else { return }
        try ledger.isOut(person.id, in: epoch())
        try world.perform(.leave(group: record.id), person)
        try world.sync(person)
        try look(at: person)
    }

    private func remove(_ name: String, by remover: String) throws {
        let user = try foreign.first { $0.name == name }?.id ?? person(name).id
        try ledger.isOut(user, in: epoch())
        if let member = foreign.first(where: { $0.name == remover }) {
            try member.sync()
            return try member.remove(user)
        }
        let person = try person(remover)
        guard let record = try record(person) else { return }
        try world.perform(.remove(group: record.id, username: name), person)
        try world.sync(person)
        try look(at: person)
    }

    func rotate(_ name: String) throws {
        if let member = foreign.first(where: { $0.name == name }) {
            // Not every client reads the log first.
            if !isRarely(4) { try member.sync() }
            if member.isIn, !member.isLost { try member.commit([]) }
            return
        }
        let person = try person(name)
        guard let record = try record(person) else { return }
        try world.perform(.rotate(group: record.id), person)
        try world.sync(person)
        try look(at: person)
    }

    /// What was said on a dead branch reached no one who lives; such a client does not notice.
    private func forget(_ member: ForeignMember) {
        let dead = member.takeUnsettled()
        said.removeAll { dead.contains($0.text) }
    }

    func reset(_ member: ForeignMember) throws {
        if member.isLost { forget(member) }
        try member.reset()
        ledger.has(member.id, key: member.fingerprint)
    }

    /// What the old one had is gone, but it had nothing left to send.
    private func moveToNewDevice(_ name: String) throws {
        let old = try person(name)
        try world.sync(old)
        guard try old.reader.outbox().isEmpty else { return }
        retired.append(old)
        let fresh = try world.replaceDevice(of: old)
        try arrive(fresh, level(of: fresh))
        try look(at: fresh)
    }

    private func verify(_ other: String, by name: String) throws -> Bool {
        let holder = try person(name)
        let user = try foreign.first { $0.name == other }?.id ?? person(other).id
        guard user != holder.id, let key = ledger.key(of: user),
            try holder.reader.fingerprints(of: user).contains(key)
        else { return false }
        try world.perform(.verify(user: user, fingerprint: key), holder)
        ledger.verified(user, by: holder, key)
        return true
    }
}
