import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// A server in trouble, or something in its place, gets few requests, and everything is delivered once when it is well
/// again.
@Suite struct BackOffTests {
    /// What answers every request instead.
    enum Storm: String, CaseIterable, Sendable {
        case tooMany, tooManyForSeconds, tooManyUntil, tooManyAgainAtOnce, unavailable, unavailableForSeconds,
            badGateway,
            badGatewayPage, unauthorized, forbidden, notFound, portal, cut

        /// Nil if the connection is cut.
        var answer: APIResponse? {
            let page = Array("<html>".utf8)
            func plain(_ status: Int, _ wait: RetryAfter? = nil, date: UInt64? = nil) -> APIResponse {
                APIResponse(
                    head: ResponseHead(status: status, contentType: "text/plain", retryAfter: wait, date: date),
                    body: Array("later".utf8))
            }
            return switch self {
            case .tooMany: plain(429)
            case .tooManyForSeconds: plain(429, .seconds(30))
            case .tooManyUntil: plain(429, .date(1_030), date: 1_000)
            case .tooManyAgainAtOnce: plain(429, .seconds(0))
            case .unavailable: plain(503)
            case .unavailableForSeconds: plain(503, .seconds(20))
            case .badGateway: plain(502)
            case .badGatewayPage: APIResponse(status: 502, contentType: "text/html", body: page)
            case .unauthorized: plain(401)
            case .forbidden: plain(403)
            case .notFound: plain(404)
            case .portal: APIResponse(status: 200, contentType: "text/html", body: page)
            case .cut: nil
            }
        }
    }

    private func talk(_ seed: UInt64) throws -> (World, alice: World.Person, bob: World.Person, room: ID) {
        let world = World(seed: seed, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        return (world, world.people[0], world.people[1], try world.group("room", of: world.people[0]).id)
    }

    private func begin(_ storm: Storm, _ world: World) {
        world.answerInstead = { _ in storm.answer }
        world.fault = { _, _ in storm == .cut ? .requestLost : .none }
    }

    private func heal(_ world: World) {
        world.answerInstead = { _ in nil }
        world.fault = { _, _ in .none }
    }

    /// Lets a person work for a while, and counts their requests to the server.
    private func requests(
        of person: World.Person, for milliseconds: UInt64, _ world: World,
        feed: (World.Person) throws -> Void = { _ in }
    ) throws -> Int {
        var count = 0
        let end = world.now.deadline(afterMilliseconds: milliseconds)
        func openFeed() throws {
            guard person.core.linkState == .connecting else { return }
            count += 1
            try feed(person)
        }
        try openFeed()
        while true {
            if !person.calls.isEmpty { count += 1 }
            if try world.stir(person) {
                try openFeed()
                continue
            }
            guard let wait = person.core.nextWake?.left(world.now), wait < end.left(world.now) else { break }
            world.now = world.now.advanced(byMilliseconds: wait)
            try world.step(.wake, person)
            try openFeed()
        }
        world.now = world.now.advanced(byMilliseconds: end.left(world.now))
        return count
    }

    @Test(arguments: Storm.allCases)
    func aCommandAsksFiveTimesInFiveSeconds(storm: Storm) throws {
        let (world, alice, bob, room) = try talk(51)
        begin(storm, world)
        try world.perform(.send(group: room, text: "through"), alice)
        try world.step(.connect(live: false), alice)
        let count = try requests(of: alice, for: 5_000, world)
        #expect((1...5).contains(count), "\(count) requests")
        guard case .waiting(_, let trouble?) = alice.core.linkState else {
            Issue.record("the link is \(alice.core.linkState)")
            return
        }
        let row = try #require(try alice.reader.outbox().first)
        #expect(!row.isFailed && row.intent != .rejoin)
        #expect(try alice.reader.link()?.trouble == .transport(trouble.cause, detail: trouble.reason))
        try world.step(.disconnect, alice)
        alice.calls = []
        heal(world)
        world.now = world.now.advanced(byMilliseconds: 70_000)
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: through"])
        try world.expectConverged("room")
    }

    /// Whether the feed is refused like everything else, or is open and all else is refused.
    @Test(arguments: Storm.allCases, [true, false])
    func whoStaysConnectedAsksTwentyTimesAMinuteAndDeliversAfterwards(storm: Storm, feedIsOpen: Bool) throws {
        let (world, alice, bob, room) = try talk(52)
        try world.step(.connect(live: true), alice)
        try world.step(.feed(.opened), alice)
        try world.settle([alice])
        begin(storm, world)
        try world.perform(.send(group: room, text: "through"), alice)
        if !feedIsOpen { try world.step(.feedEnded(TransportError(.unknown, .connectionLost, "cut")), alice) }
        let count = try requests(of: alice, for: 60_000, world) { person in
            if feedIsOpen {
                try world.step(.feed(.opened), person)
            } else if let head = storm.answer?.head {
                try world.step(.feedEnded(TransportError(.unknown, .badAnswer, "no feed", head: head)), person)
            } else {
                try world.step(.feedEnded(TransportError(.unknown, .connectionLost, "cut")), person)
            }
        }
        #expect((1...20).contains(count), "\(count) requests")
        heal(world)
        // One back-off: the longest there is, or what the server asked for.
        _ = try requests(of: alice, for: 66_000, world) { try world.step(.feed(.opened), $0) }
        #expect(world.server.posted.count == 1)
        try world.step(.disconnect, alice)
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: through"])
        try world.expectConverged("room")
    }

    /// The feed opens each time, and is cut at once: that is no sign of health.
    @Test func aFeedThatIsCutAgainAndAgainIsOpenedSeldom() throws {
        let (world, alice, _, _) = try talk(53)
        try world.step(.connect(live: true), alice)
        var opened = 0
        _ = try requests(of: alice, for: 60_000, world) { person in
            opened += 1
            try world.step(.feed(.opened), person)
            while try world.stir(person) {}
            try world.step(.feedEnded(TransportError(.unknown, .connectionLost, "cut")), person)
        }
        #expect((2...12).contains(opened), "opened \(opened) times")
    }

    @Test(arguments: [(30 as UInt64, 30_000 as UInt64), (7_200, 3_600_000), (.max, 3_600_000)])
    func theServerIsLeftAloneForAsLongAsItAsks(seconds: UInt64, wait: UInt64) throws {
        let (world, alice, _, _) = try talk(54)
        let head = ResponseHead(status: 503, retryAfter: .seconds(seconds))
        world.answerInstead = { _ in APIResponse(head: head, body: []) }
        try world.step(.connect(live: false), alice)
        try world.settle([alice], patience: 0)
        let left = try #require(alice.core.nextWake?.left(world.now))
        #expect(left >= wait && left <= min(wait + wait / 10, 3_600_000))
    }

    @Test func theNextProcessWaitsToo() throws {
        let (world, alice, bob, room) = try talk(55)
        begin(.tooManyForSeconds, world)
        try world.perform(.send(group: room, text: "through"), alice)
        try world.sync(alice, patience: 0)
        heal(world)
        try world.crash(alice)
        // However often it is tried, and whatever the wall clock is set to.
        for jump: UInt64 in [0, 3_600_000] {
            world.now.wall = world.now.wall.advanced(byMilliseconds: jump)
            try world.step(.connect(live: false), alice)
            #expect(alice.calls.isEmpty && alice.core.linkState != .up)
            try world.step(.disconnect, alice)
        }
        try world.step(.connect(live: false, atOnce: true), alice)
        #expect(!alice.calls.isEmpty, "a person may override it")
        alice.calls = []
        try world.crash(alice)
        let now = world.now
        world.now.boot += 1
        try world.step(.connect(live: false), alice)
        #expect(!alice.calls.isEmpty, "the machine was started anew since: nobody knows how long ago")
        alice.calls = []
        try world.crash(alice)
        world.now = now.advanced(byMilliseconds: 34_000)
        try world.sync(alice)
        try world.sync(bob)
        #expect(try world.texts("room", bob) == ["alice: through"])
        #expect(try alice.reader.link()?.trouble == nil)
    }

    /// The network is different: a person who asks for something may have just switched it on.
    @Test func whoHadNoNetworkIsNotKeptFromTrying() throws {
        let (world, alice, _, _) = try talk(56)
        world.fault = { _, _ in .linkDown }
        try world.sync(alice)
        try world.step(.connect(live: false), alice)
        #expect(!alice.calls.isEmpty)
    }

    @Test func anAnswerThatTellsOfAnotherServerHoldsNothingUp() throws {
        let (world, alice, _, _) = try talk(57)
        let head = ResponseHead(status: 429, retryAfter: .seconds(600))
        let refusal = try #require(APIResponse(head: head, body: []).refusal)
        try world.step(.askedDirectly(server: "https://elsewhere", refusal), alice)
        #expect(try alice.reader.link()?.hold(of: "https://elsewhere", world.now) != nil)
        try world.step(.connect(live: false), alice)
        #expect(!alice.calls.isEmpty)
        alice.calls = []
        try world.step(.disconnect, alice)
        try world.step(.askedDirectly(server: "https://test", refusal), alice)
        try world.step(.connect(live: false), alice)
        #expect(alice.calls.isEmpty)
        try world.step(.disconnect, alice)
        try world.step(.askedDirectly(server: "https://test", nil), alice)
        try world.step(.connect(live: false), alice)
        #expect(!alice.calls.isEmpty)
    }

    @Test func aSessionThatIsOverStopsEverything() throws {
        let (world, alice, _, room) = try talk(58)
        try world.perform(.send(group: room, text: "later"), alice)
        world.server.rejectsTokens = true
        try world.step(.connect(live: false), alice)
        let count = try requests(of: alice, for: 60_000, world)
        #expect((1...2).contains(count) && alice.core.linkState == .loginNeeded)
        #expect(try alice.reader.link()?.kind == .sessionOver)
    }

    /// Only one request is refused, in a way that makes no sense, and everything else is well.
    @Test(arguments: [401, 403, 404])
    func aRefusalThatMakesNoSenseHoldsUpItsOwnRowAlone(status: Int) throws {
        let (world, alice, bob, room) = try talk(59)
        var refused = 0
        world.answerInstead = { request in
            guard request.method == .post, request.path.hasSuffix("/messages") else { return nil }
            refused += 1
            return APIResponse(status: status, contentType: "text/plain", body: [])
        }
        try world.perform(.send(group: room, text: "through"), alice)
        try world.step(.connect(live: false), alice)
        _ = try requests(of: alice, for: 60_000, world)
        #expect((2...8).contains(refused), "\(refused) tries")
        #expect(alice.core.linkState == .up)
        #expect(try alice.reader.outbox().first.map { !$0.isFailed && $0.trouble?.token == "refused" } == true)
        heal(world)
        _ = try requests(of: alice, for: 66_000, world)
        try world.step(.disconnect, alice)
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: through"])
    }

    /// Reading works and sending does not: the good answers in between are no reason to try faster.
    @Test func whatAloneIsRefusedIsTriedSeldomToo() throws {
        let (world, alice, bob, room) = try talk(60)
        var refused = 0
        world.answerInstead = { request in
            guard request.method == .post, request.path.hasSuffix("/messages") else { return nil }
            refused += 1
            return APIResponse(status: 503, contentType: "", body: [])
        }
        try world.perform(.send(group: room, text: "through"), alice)
        try world.step(.connect(live: false), alice)
        let count = try requests(of: alice, for: 60_000, world)
        #expect((3...7).contains(refused), "\(refused) tries")
        #expect(count <= 20, "\(count) requests")
        heal(world)
        _ = try requests(of: alice, for: 66_000, world)
        try world.step(.disconnect, alice)
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: through"])
        #expect(world.server.posted.count == 1)
    }
}
