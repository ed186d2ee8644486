import Foundation
import Testing

extension EndToEnd {
    @Suite struct HostileAnswerTests {
        /// What comes in place of the server's answer.
        enum Disguise: CaseIterable, Sendable {
            case noise, truncated, oversize, portal, wrongError

            func fate(seed: UInt64) -> FaultyProxy.Fate {
                var noise = Noise(state: seed)
                switch self {
                case .noise: return .answer(HTTPAnswer(body: noise.bytes(300)))
                case .truncated:
                    // The server did its work. Half an answer with nothing in it would be the whole one.
                    return .change {
                        $0.body = $0.body.isEmpty ? [0x0A] : Array($0.body.dropLast(($0.body.count + 1) / 2)) + [0x0A]
                    }
                case .oversize:
                    return .answer(HTTPAnswer(body: noise.bytes(1 << 16) + [UInt8](repeating: 0, count: 40 << 20)))
                case .portal:
                    let page = "<!doctype html><html><body>Please accept our terms of use.</body></html>"
                    return .answer(HTTPAnswer(contentType: "text/html", body: Array(page.utf8)))
                case .wrongError: return .answer(HTTPAnswer(status: 500, body: noise.bytes(64)))
                }
            }
        }

        @Test func whateverAnswersInPlaceOfTheServerIsAnErrorAndDoesNoHarm() async throws {
            try await Self.atOnce(Disguise.allCases, inPlaceOfTheServer)
        }

        private func inPlaceOfTheServer(_ disguise: Disguise) async throws {
            try await withStage(hasNetwork: true) { stage in
                let people = try await stage.people("alice", "bob", "carol", "dave")
                let (alice, bob, carol, dave) = (people[0], people[1], people[2], people[3])
                try await stage.room([alice, bob])
                let room = "/groups/{id}"
                // Trying for long only makes the waits between two tries grow.
                let briefly = ["--wait", "0.4"]
                var trials = Trials(disguise: disguise, network: try #require(stage.network))

                let erin = try Person("erin", folder: stage.folder)
                let newcomer = ["--server", stage.url, "--password-file", erin.passwordFile]
                try await trials.run("POST /register", erin, ["register", "erin"] + newcomer)
                let frank = try Person("frank", folder: stage.folder)
                try await trials.run("POST /key-packages", frank, ["register", "frank"] + newcomer)
                try await stage.settle([frank])
                try await trials.run("POST /login", alice, ["login", "--password-file", alice.passwordFile])

                for list in ["GET /groups", "GET /welcomes", "GET /invites", "GET \(room)/messages"] {
                    try await trials.run(list, alice, ["sync", "--now"])
                }
                // The server is well again: nothing waits for that any more.
                try await alice.sync()
                try await trials.run("POST \(room)/messages", alice, ["send", "room", "in disguise"] + briefly)
                try await alice.sync()
                try await trials.run("POST \(room)/commit", alice, ["group", "rotate", "room"] + briefly)
                try await alice.sync()
                try await trials.run("POST /groups", alice, ["group", "create", "other"] + briefly)
                try await stage.settle([alice, bob])

                try await trials.run("GET /users/carol", alice, ["invite", "room", "carol"] + briefly)
                try await stage.settle([alice, carol])
                try await trials.run("POST /invites/{id}/accept", carol, ["accept", "room"] + briefly)
                try await stage.settle([alice, bob, carol])
                try await trials.run("POST \(room)/invite", alice, ["invite", "room", "dave"] + briefly)
                try await stage.settle([alice, dave])
                try await trials.run("POST /invites/{id}/decline", dave, ["decline", "room"] + briefly)
                try await stage.settle([alice, dave])
                try await trials.run("POST \(room)/escrow-invite", alice, ["invite", "room", "frank"] + briefly)
                try await stage.settle([alice, frank])

                try await trials.run("POST \(room)/leave", carol, ["group", "leave", "room"] + briefly)
                try await stage.settle([carol, alice, bob])
                // On a new profile bob has no keys, and comes back into the group from outside.
                let bobAgain = try Person("bobAgain", folder: stage.folder)
                try await bobAgain.run(
                    "login", "bob", "--server", stage.url, "--password-file", bobAgain.passwordFile)
                try await trials.run("GET \(room)/group-info", bobAgain, ["group", "rejoin", "room"] + briefly)
                try await bobAgain.retryAll()
                try await trials.run("POST \(room)/external-join", bobAgain, ["sync", "--now"])
                try await stage.settle([alice, bobAgain])
                #expect(try await bobAgain.details("room").status == "active")
                try await trials.run("POST \(room)/remove", alice, ["group", "remove", "room", "bob"] + briefly)
                try await stage.settle([alice, bobAgain])
                #expect(try await bobAgain.details("room").status == "removed")
                #expect(try await carol.details("room").status == "left")
                try await expectConverged([alice], sent: [alice: ["in disguise"]])
            }
        }

        /// Each has a server and people of its own, and most of the time they all wait.
        private static func atOnce(
            _ disguises: [Disguise], _ live: @escaping @Sendable (Disguise) async throws -> Void
        ) async throws {
            try await withThrowingTaskGroup { group in
                for disguise in disguises { group.addTask { try await live(disguise) } }
                try await group.waitForAll()
            }
        }

        /// Requests that are made in passing: no one waits for them, and without them something would be missing later.
        @Test func whateverAnswersWhatIsAskedInPassingDoesNoHarm() async throws {
            try await Self.atOnce(Disguise.allCases, inPassing)
        }

        private func inPassing(_ disguise: Disguise) async throws {
            try await withStage(hasNetwork: true) { stage in
                let people = try await stage.people("alice", "bob", "carol", "dave")
                let (alice, bob, carol, dave) = (people[0], people[1], people[2], people[3])
                try await stage.room([alice, bob])
                let room = "/groups/{id}"
                var trials = Trials(disguise: disguise, network: try #require(stage.network))

                try await alice.run("invite", "room", "carol")
                try await carol.sync()
                // She is in by then; what is left is to say so.
                try await trials.run(
                    "POST /welcomes/{id}/accept", carol, ["accept", "room", "--wait", "0.4"], mayBeSilent: true)
                try await stage.settle([alice, carol])
                // Carol joins, speaks and goes while bob is away: only the server can tell him her name.
                try await carol.run("send", "room", "just passing by")
                try await alice.sync()
                try await alice.run("group", "remove", "room", "carol")
                try await trials.run("GET /users/by-id/{id}", bob, ["sync", "--now"])
                try await stage.settle([alice, bob])
                #expect(try await bob.history("room").contains { $0.sender == "carol" && $0.text == "just passing by" })

                try await alice.run("invite", "room", "dave")
                try await trials.run("GET \(room)/invites", alice, ["sync", "--now"])
                try await stage.settle([alice, bob])
                // The group moves on without dave: his invite is taken back and made again.
                try await bob.run("group", "rotate", "room")
                try await trials.run("POST \(room)/cancel-invite", alice, ["sync", "--now"])
                try await stage.settle([alice, bob])
                try await dave.sync()
                try await dave.run("accept", "room")
                try await stage.settle([alice, bob, dave])
                #expect(try await dave.details("room").status == "active")

                let bobAgain = try Person("bobAgain", folder: stage.folder)
                let login = ["login", "bob", "--server", stage.url, "--password-file", bobAgain.passwordFile]
                try await trials.run("POST /reset-account", bobAgain, login)
                // No half can be missing from an answer that says nothing.
                try await trials.run("POST /logout", alice, ["logout"], mayBeSilent: disguise == .truncated)
                #expect(try await alice.attempt("sync").status != 0, "logged out, whatever the server said")
                try await alice.run("login", "--password-file", alice.passwordFile)
                try await stage.settle([bobAgain, alice, dave])
                #expect(try await bobAgain.details("room").status == "active")
                let authenticators = try await [
                    alice.details("room"), dave.details("room"), bobAgain.details("room"),
                ].map(\.epochAuthenticator)
                #expect(Set(authenticators).count == 1)
            }
        }

        @Test func aWatchThatHearsNonsenseSaysSoAndComesBack() async throws {
            try await Self.atOnce(
                Disguise.allCases.filter { $0 != .truncated }, toAWatch)
        }

        private func toAWatch(_ disguise: Disguise) async throws {
            try await withStage(hasNetwork: true) { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                let network = try #require(stage.network)
                try await stage.room(people)
                let fate = disguise.fate(seed: 99)
                // Streams and polls alike: if only a stream is nonsense, polls take its place.
                network.play { $0.path.hasPrefix("/api/v1/events") ? fate : .pass }
                let watch = try bob.start(["watch"])
                #expect(await eventually { watch.errors.contains("no connection") }, "\(watch.output)\(watch.errors)")
                network.heal()
                try await alice.run("send", "room", "after the storm")
                #expect(await eventually { watch.output.contains("after the storm") }, "\(watch.output)\(watch.errors)")
                watch.signal(SIGTERM)
                #expect(try await watch.exit(within: 20).status == 0, "\(watch.errors)")
            }
        }
    }
}

extension Person {
    /// Makes everything that was put off due at once.
    fileprivate func retryAll() async throws {
        for row in try await outbox() { try await run("outbox", "retry", "\(row.outbox)", "--queue") }
    }
}

/// Runs commands with the answer of one endpoint replaced.
private struct Trials {
    let disguise: EndToEnd.HostileAnswerTests.Disguise
    let network: FaultyProxy
    private var count: UInt64 = 0

    init(disguise: EndToEnd.HostileAnswerTests.Disguise, network: FaultyProxy) {
        self.disguise = disguise
        self.network = network
    }

    mutating func run(
        _ endpoint: String, _ person: Person, _ arguments: [String], mayBeSilent: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        count += 1
        let fate = disguise.fate(seed: count)
        let before = network.requests.count
        network.play { $0.endpoint == endpoint ? fate : .pass }
        let process = try person.start(arguments)
        let status = try await process.exit().status
        if !network.requests[before...].contains(where: { $0.endpoint == endpoint }) {
            // On a busy machine the command's time may be over before it gets to that.
            _ = try await person.attempt("sync", "--now")
        }
        network.heal()
        let said = "\(disguise) for \(endpoint), `\(process.command)`: \(status) \(process.output)\(process.errors)"
        let isAsked = network.requests[before...].contains { $0.endpoint == endpoint }
        #expect(isAsked, "never asked: \(said)", sourceLocation: sourceLocation)
        #expect(status >= 0, "a crash: \(said)", sourceLocation: sourceLocation)
        // A command that asked again, an honest network or the log, has nothing to tell.
        let isTold =
            status != 0 || process.output.contains("queued") || !process.errors.isEmpty
            || process.output.contains("sent (seq") || process.output.contains(" left\n")
        #expect(isTold || mayBeSilent, "nothing is said about it: \(said)", sourceLocation: sourceLocation)
        #expect(!process.errors.contains("<html>"), "\(said)", sourceLocation: sourceLocation)
    }
}

/// Repeatable nonsense (splitmix64).
private struct Noise {
    var state: UInt64

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return UInt8(truncatingIfNeeded: value ^ (value >> 31))
        }
    }
}
