import ConclaveProtocol
import MLS
import MLSOpenSSL
import Testing

@testable import WaxwingCore

/// Clients and a server in one virtual time, every step chosen by a seed.
final class World {
    /// What the network does to a request.
    enum Fault { case none, requestLost, answerLost, linkDown }

    final class Person {
        let name: String
        let id: ID
        let store = MemoryStore()
        var core: ClientCore
        var calls: [(CallID, APIRequest)] = []
        var feedOpen = false
        var hears: [ServerHint] = []
        /// How far this machine's clock is ahead of the right time, in seconds.
        var clockAhead: Int64 = 0
        /// Everything that people were told.
        var notices: [Notice] = []

        init(_ name: String, _ id: ID, _ core: (MemoryStore) throws -> ClientCore) rethrows {
            self.name = name
            self.id = id
            self.core = try core(store)
        }

        var reader: AccountReader { AccountReader(store: store) }
    }

    var server: ModelServer
    /// The real server, if it takes the model's place.
    let daemon: Daemon?
    var now = Moment(wall: Instant(milliseconds: 1_800_000_000_000), uptime: 5_000_000, boot: 1)
    let entropy: SeededEntropy
    let chance: SeededEntropy
    var people: [Person] = []
    /// Of everyone who is registered.
    private(set) var names: [ID: String] = [:]
    /// Decides about each request; by default the network is well.
    var fault: (Person, APIRequest) -> Fault = { _, _ in .none }

    /// Which answers are larger than the transport accepts.
    var answerTooLarge: (APIRequest) -> Bool = { _ in false }
    /// Answers that something other than the server gives.
    var answerInstead: (APIRequest) -> APIResponse? = { _ in nil }
    /// Whether people look at what is shown each time they have synced.
    var peopleRead = true
    /// A web page answers everything.
    var portal = false
    /// How far the clock in the server's `Date` headers is ahead of the right time, in seconds; nil for a server
    /// without such headers.
    var dateAhead: Int64?

    init(seed: UInt64, strict: Bool, daemon: Daemon? = nil) {
        server = ModelServer(isStrict: strict)
        self.daemon = daemon
        entropy = SeededEntropy(seed)
        chance = SeededEntropy(seed ^ 0xABCD)
    }

    @discardableResult
    func add(_ name: String) throws -> Person {
        let id = register(name)
        let person = try Person(name, id) { [entropy] store in
            try ClientCore(store: store, provider: OpenSSLProvider(), entropy: entropy)
        }
        people.append(person)
        try perform(
            .signIn(
                Session(token: token(of: id), userID: id, username: name), serverURL: "https://test"),
            person)
        return person
    }

    // MARK: The server

    func register(_ name: String) -> ID {
        let id = server.register(name)
        names[id] = name
        daemon?.register(name, as: id)
        return id
    }

    func token(of user: ID) -> SessionToken { daemon?.token(of: user) ?? SessionToken(user.description) }

    func answer(_ request: APIRequest) -> APIResponse {
        daemon?.answer(request, at: now) ?? server.answer(request)
    }

    /// Everything in a group's log.
    func log(of group: ID) -> [ModelServer.Row] { daemon?.log(of: group) ?? server.groups[group]?.log ?? [] }

    /// The same user on a new device: nothing of the old one is left.
    func replaceDevice(of person: Person) throws -> Person {
        let fresh = try Person(person.name, person.id) { [entropy] store in
            try ClientCore(store: store, provider: OpenSSLProvider(), entropy: entropy)
        }
        people[people.firstIndex { $0 === person }!] = fresh
        _ = answer(Endpoint.resetAccount(token: token(of: person.id)).request)
        try perform(
            .signIn(
                Session(token: token(of: person.id), userID: person.id, username: person.name),
                serverURL: "https://test"),
            fresh)
        return fresh
    }

    // MARK: Steps

    @discardableResult
    func perform(_ command: Command, _ person: Person) throws -> CommandOutcome {
        try step(.perform(command), person).outcome
    }

    @discardableResult
    func step(_ input: Input, _ person: Person) throws -> Batch {
        let batch = try person.core.handle(input, now: now(of: person))
        if !batch.changes.isEmpty { _ = try person.store.commit(batch.changes) }
        for effect in batch.effects {
            switch effect {
            case .send(let id, let request): person.calls.append((id, request))
            case .openFeed: person.feedOpen = true
            case .closeFeed: person.feedOpen = false
            case .notice(let notice): person.notices.append(notice)
            }
        }
        return batch
    }

    /// What this person's clock shows.
    func now(of person: Person) -> Moment { Self.moved(now, by: person.clockAhead) }

    /// The wall clock is set.
    static func moved(_ moment: Moment, by seconds: Int64) -> Moment {
        var moment = moment
        moment.wall = moved(moment.wall, by: seconds)
        return moment
    }

    static func moved(_ moment: Instant, by seconds: Int64) -> Instant {
        Instant(milliseconds: UInt64(max(0, Int64(moment.milliseconds) + seconds * 1000)))
    }

    /// The process dies and starts again on the same store: everything in memory is gone, answers included.
    func crash(_ person: Person) throws {
        person.calls = []
        person.feedOpen = false
        person.core = try ClientCore(store: person.store, provider: OpenSSLProvider(), entropy: entropy)
    }

    /// One thing happens to one person: an answer comes, local work goes on, or time passes. Returns false if there is
    /// nothing left.
    func stir(_ person: Person) throws -> Bool {
        if !person.calls.isEmpty {
            let (id, request) = person.calls.remove(at: chance.below(person.calls.count))
            try deliver(id, request, to: person)
            return true
        }
        if person.core.hasLocalWork {
            try step(.resume, person)
            return true
        }
        return false
    }

    private func dated(_ response: APIResponse) -> APIResponse {
        var response = response
        response.head.date = dateAhead.map { Self.moved(now, by: $0).seconds }
        return response
    }

    private func deliver(_ id: CallID, _ request: APIRequest, to person: Person) throws {
        if portal {
            let page = dated(
                APIResponse(status: 200, contentType: "text/html", body: Array("<html>Welcome!</html>".utf8)))
            try step(.answered(id, .success(page)), person)
            return
        }
        if let answer = answerInstead(request) {
            try step(.answered(id, .success(answer)), person)
            return
        }
        if answerTooLarge(request) {
            try step(.answered(id, .failure(TransportError(.unknown, .answerTooLarge, "too large"))), person)
            return
        }
        switch fault(person, request) {
        case .none:
            try step(.answered(id, .success(dated(answer(request)))), person)
        case .requestLost:
            try step(.answered(id, .failure(TransportError(.unknown, .connectionLost, "request lost"))), person)
        case .answerLost:
            _ = answer(request)
            try step(.answered(id, .failure(TransportError(.unknown, .connectionLost, "answer lost"))), person)
        case .linkDown:
            try step(.answered(id, .failure(TransportError(.notSent, .unreachable, "link down"))), person)
        }
    }

    /// Goes online and works until nothing is left, letting time pass for what waits, for at most `patience` waits.
    func sync(_ person: Person, patience: Int = 40) throws {
        try step(.connect(live: false), person)
        try settle([person], patience: patience)
        if peopleRead, try readNews(person) { try settle([person], patience: patience) }
        try step(.disconnect, person)
        person.calls = []
    }

    /// The person sees the lines about members. Returns whether messages waited for that.
    @discardableResult
    func readNews(_ person: Person) throws -> Bool {
        var hasNews = false
        for group in try person.reader.groups() {
            let untold = try person.reader.room(group.id)?.leaves.filter { $0.standing == .untold } ?? []
            if untold.isEmpty { continue }
            hasNews = true
            try perform(
                .toldOfMembers(group: group.id, Dictionary(untold.map { ($0.user, $0.epoch) }) { max($0, $1) }), person)
        }
        return hasNews
    }

    /// Lets all of `persons` work in random order until no one has anything left to do.
    func settle(_ persons: [Person], patience: Int = 40) throws {
        var waits = 0
        var steps = 0
        while true {
            steps += 1
            try #require(steps < 20_000, "the clients never come to rest")
            let busy = persons.filter { !$0.calls.isEmpty || $0.core.hasLocalWork }
            if let next = busy.isEmpty ? nil : busy[chance.below(busy.count)] {
                _ = try stir(next)
                continue
            }
            let waiting = persons.compactMap { $0.core.nextWake?.left(now) }
            guard let wait = waiting.min(), waits < patience else { return }
            waits += 1
            now = now.advanced(byMilliseconds: wait)
            for person in persons { try step(.wake, person) }
        }
    }

    func syncAll(rounds: Int = 3) throws {
        for _ in 0..<rounds { for person in people { try sync(person) } }
    }

    // MARK: Views

    func group(_ name: String, of person: Person) throws -> GroupRecord {
        try #require(person.reader.groups(named: name).first, "\(person.name) knows no group \(name)")
    }

    /// A group of all the people, made by the first of them.
    func makeGroup(_ name: String) throws {
        let creator = people[0]
        for person in people { try sync(person) }
        try perform(.createGroup(name: name, alias: ""), creator)
        try sync(creator)
        for person in people.dropFirst() {
            try perform(.invite(group: group(name, of: creator).id, username: person.name), creator)
            try sync(creator)
            try sync(person)
            let invite = try #require(person.reader.invites().first)
            try perform(.accept(invite: invite.id), person)
            try sync(person)
            try sync(creator)
        }
        try syncAll(rounds: 1)
    }

    /// The lines of a person's history, from the row where the last of the group had joined.
    func lines(_ name: String, _ person: Person) throws -> [String] {
        let group = try group(name, of: person)
        return try person.reader.history(group.id, limit: 100_000).map { entry in
            let row = entry.row
            let place = row.sequence.map { "\(row.era).\($0)" } ?? "waiting"
            switch row.content {
            case .text(let text): return "\(place) \(nameOf(row.sender)): \(text)"
            case .system(let events):
                return "\(place) "
                    + events.map { "\($0.kind) \(nameOf($0.actor))>\(nameOf($0.subject))" }.joined(separator: ",")
            case .unreadable(let why): return "\(place) unreadable \(why)"
            }
        }
    }

    func texts(_ name: String, _ person: Person) throws -> [String] {
        let group = try group(name, of: person)
        return try person.reader.history(group.id, limit: 100_000).compactMap {
            if case .text(let text) = $0.row.content { "\(nameOf($0.row.sender)): \(text)" } else { nil }
        }
    }

    private func nameOf(_ id: ID) -> String { names[id] ?? "?" }

    /// All are in the same epoch of the same branch.
    func expectSameKeys(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let keys = try Set(
            people.map { person in
                let details = try person.core.details(of: group(name, of: person).id)
                return details.map { "\($0.epoch) \($0.epochAuthenticator)" } ?? "\(person.name) has none"
            })
        #expect(keys.count == 1, "the group is split: \(keys)", sourceLocation: sourceLocation)
    }

    /// All agree on the state of the group, and no one has anything left to send.
    func expectConverged(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        var authenticators: Set<String> = []
        for person in people {
            let group = try group(name, of: person)
            let details = try #require(try person.core.details(of: group.id), sourceLocation: sourceLocation)
            authenticators.insert("\(details.epoch) \(details.epochAuthenticator)")
            let left = try person.reader.outbox()
            #expect(
                left.isEmpty,
                "\(person.name) still has \(left.map { "\($0.intent) \($0.state) \($0.trouble?.token ?? "")" })",
                sourceLocation: sourceLocation)
        }
        #expect(authenticators.count == 1, "the group is split: \(authenticators)", sourceLocation: sourceLocation)
        let first = try texts(name, people[0])
        for person in people.dropFirst() {
            #expect(
                try texts(name, person) == first, "\(person.name) reads another history", sourceLocation: sourceLocation
            )
        }
    }

    /// All that is known about a group, for the report of a failure.
    func report(_ name: String) -> String {
        var text = "server: epoch \(server.groups.values.first { $0.name == name }?.epoch.map(String.init) ?? "-")\n"
        for group in server.groups.values where group.name == name {
            text += "  roster \(group.members.map(nameOf)), invites \(group.invites.map { nameOf($0.invitee) })\n"
            for row in group.log {
                let summary = try? MLSMessage.summary(of: row.message)
                text +=
                    "  \(row.sequence) \(nameOf(row.sender)) \(summary?.contentType.map { "\($0)" } ?? "?") epoch \(summary?.epoch ?? 0)\n"
            }
        }
        for person in people {
            guard let group = try? person.reader.groups(named: name).first else { continue }
            let details = try? person.core.details(of: group.id)
            text +=
                "\(person.name): \(group.status) epoch \(group.epoch) joined \(group.joinedEpoch) cursor \(group.era).\(group.cursor) entry \(group.entry) rival \(group.rivalSeen) tag \(!group.joinTag.isEmpty) "
            text +=
                "members \(details?.members.map { nameOf($0.user) } ?? []) invited \((try? person.reader.invited(to: group.id))?.map(nameOf) ?? [])\n"
            for row in (try? person.reader.outbox()) ?? [] {
                text += "  outbox \(row.intent) \(row.state) \(row.trouble?.token ?? "")\n"
            }
            for leaf in (try? person.reader.room(group.id)?.leaves) ?? [] where leaf.standing != .accepted {
                text +=
                    "  \(nameOf(leaf.user)) is \(leaf.standing): \(leaf.objection), \(leaf.way) by \(leaf.by.map(nameOf) ?? "-")\n"
            }
            for line in (try? lines(name, person)) ?? [] { text += "  \(line)\n" }
        }
        return text
    }
}

extension Moment {
    /// By the wall clock, in Unix seconds.
    var seconds: UInt64 { wall.seconds }
}
