import Foundation
import Testing

extension EndToEnd {
    /// Every command and `watch` seldom ask a server in trouble, or something in its place, whatever it answers; and
    /// everything asked for is done once when the server is well again.
    @Suite struct RetryStormTests {
        enum Storm: String, CaseIterable, Sendable {
            case tooMany, tooManyForSeconds, tooManyUntil, unavailable, unavailableForSeconds, badGateway, unauthorized,
                forbidden, notFound, cut

            /// How long the server asks to wait, if it does.
            static let asked = 3

            var fate: FaultyProxy.Fate {
                func plain(_ status: Int, _ fields: [[String]] = []) -> FaultyProxy.Fate {
                    .answer(
                        HTTPAnswer(status: status, contentType: "text/plain", fields: fields, body: Array("later".utf8))
                    )
                }
                let seconds = [["retry-after", "\(Self.asked)"]]
                switch self {
                case .tooMany: return plain(429)
                case .tooManyForSeconds: return plain(429, seconds)
                case .tooManyUntil:
                    // By the server's clock, which may not be ours.
                    return plain(
                        429,
                        [["date", "Sun, 06 Nov 1994 08:49:37 GMT"], ["retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"]])
                case .unavailable: return plain(503)
                case .unavailableForSeconds: return plain(503, seconds)
                case .badGateway: return plain(502)
                case .unauthorized: return plain(401)
                case .forbidden: return plain(403)
                case .notFound: return plain(404)
                case .cut: return .loseRequest
                }
            }

            /// The server asks to wait: there is an exit code for that.
            var asksToWait: Bool {
                switch self {
                case .tooMany, .tooManyForSeconds, .tooManyUntil, .unavailableForSeconds: true
                default: false
                }
            }

            /// `WAXWING_STORM` is a storm's name, or `all`; otherwise two of them, different ones every day.
            static let played: [Storm] = {
                let wanted = ProcessInfo.processInfo.environment["WAXWING_STORM"] ?? ""
                if wanted == "all" { return allCases }
                if let storm = Storm(rawValue: wanted) { return [storm] }
                let day = Int(Date().timeIntervalSince1970 / 86_400)
                return [allCases[day % allCases.count], allCases[(day + allCases.count / 2) % allCases.count]]
            }()

            /// `WAXWING_STORM_SECONDS`: how long a storm lasts at least.
            static let seconds =
                ProcessInfo.processInfo.environment["WAXWING_STORM_SECONDS"].flatMap { Double($0) } ?? 0
        }

        /// A copy of someone's profile that is never heard of again, whose requests are recognized by the header that
        /// brings their token.
        fileprivate struct Understudy: Sendable {
            let person: Person
            let command: [String]

            var header: String { "x-" + command.prefix(2).joined(separator: "-") }

            init(of person: Person, _ command: String..., folder: String) throws {
                self.command = command
                self.person = try Person(
                    person.name, folder: try Self.folder(folder + "/doubles/" + command.joined(separator: "-")))
                let (from, to) = (person.home + "/default", self.person.home + "/default")
                try FileManager.default.copyItem(atPath: from, toPath: to)
                let settings = URL(fileURLWithPath: to + "/settings.json")
                var object = try JSONSerialization.jsonObject(with: Data(contentsOf: settings)) as? [String: Any] ?? [:]
                object["tokenHeader"] = header
                try JSONSerialization.data(withJSONObject: object).write(to: settings)
            }

            private static func folder(_ path: String) throws -> String {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                return path
            }

            func requests(_ network: FaultyProxy, since begin: Int) -> Int {
                network.requests[begin...].count { request in
                    command[0] == "login"
                        ? request.path.hasSuffix("/login") : request.headers.contains { $0[0] == header }
                }
            }
        }

        @Test(arguments: Storm.played)
        func everyCommandAsksSeldomAndAllIsDoneAfterwards(_ storm: Storm) async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let people = try await stage.people("alice", "bob", "carol", "dave")
                let (alice, bob, carol, dave) = (people[0], people[1], people[2], people[3])
                try await stage.room([alice, bob, dave])
                try await alice.run("invite", "room", "carol")
                try await carol.sync()
                let before = network.requests.count
                try await dave.sync()
                let token = try #require(network.requests[before...].compactMap(\.bearer).first)

                let folder = stage.folder
                let doubles = [
                    try Understudy(of: alice, "send", "room", "from a double", folder: folder),
                    try Understudy(of: alice, "invite", "room", "nobody", folder: folder),
                    try Understudy(of: alice, "group", "rotate", "room", folder: folder),
                    try Understudy(of: alice, "group", "remove", "room", "bob", folder: folder),
                    try Understudy(of: bob, "group", "leave", "room", folder: folder),
                    try Understudy(of: carol, "accept", "room", folder: folder),
                    try Understudy(of: alice, "sync", folder: folder),
                    try Understudy(of: alice, "login", "--password-file", alice.passwordFile, folder: folder),
                ]
                let watch = try dave.start(["watch"])
                #expect(await eventually { watch.errors.contains("connected") })

                network.play { _ in storm.fate }
                let (begin, calm) = (ContinuousClock.now, network.requests.count)
                // The feed was open before the storm: it ends with it.
                try await stage.server.kill()
                try await stage.server.start()
                let runs = try await withThrowingTaskGroup(of: (Int, Person.Run).self) { group in
                    for (index, double) in doubles.enumerated() {
                        group.addTask { (index, try await double.run()) }
                    }
                    var runs: [Int: Person.Run] = [:]
                    for try await (index, run) in group { runs[index] = run }
                    return runs
                }
                for (index, double) in doubles.enumerated() {
                    let run = try #require(runs[index])
                    let count = double.requests(network, since: calm)
                    #expect((1...5).contains(count), "\(storm), \(double.command): \(count) requests")
                    check(run, double.command, storm)
                }
                if storm.asksToWait, storm != .tooMany {
                    // It is kept on disk: the next process does not even ask.
                    let double = doubles[0]
                    let count = double.requests(network, since: calm)
                    let again = try await double.run("--wait", "0.2")
                    let isHeld = again.output.contains("next try not before")
                    #expect(!isHeld || double.requests(network, since: calm) == count, "\(storm): \(again.output)")
                }

                // What people really ask for meanwhile.
                for (person, command) in [
                    (alice, ["send", "room", "through the storm"]), (bob, ["group", "leave", "room"]),
                    (carol, ["accept", "room"]),
                ] { _ = try await person.start(command + ["--wait", "0.5"]).exit() }
                while ContinuousClock.now - begin < .seconds(Storm.seconds) {
                    try await Task.sleep(for: .milliseconds(100))
                }
                let watched = network.requests[calm...].count { $0.bearer == token }
                let minutes = max(1, (ContinuousClock.now - begin) / .seconds(60))
                #expect(Double(watched) <= 20 * minutes, "\(storm), watch: \(watched) requests")
                // How soon it tries first is its own choice.
                #expect(await eventually(within: 75) { network.requests[calm...].contains { $0.bearer == token } })

                network.heal()
                // Carol first: those who join later do not read it.
                for person in [carol, alice, bob] { try await person.run("sync", "--now") }
                // Within one back-off, without being told.
                #expect(await eventually(within: 75) { watch.output.contains("through the storm") })
                watch.signal(SIGTERM)
                try await watch.exit()
                try await stage.settle([alice, dave, carol])
                #expect(try await dave.texts("room", from: alice) == ["through the storm"])
                try await expectConverged([alice, dave, carol], sent: [:])
                let members = try await alice.details("room").members.filter(\.inTree).map(\.username)
                #expect(Set(members) == ["alice", "carol", "dave"])
                let log = try await ServerLog.read("room", as: alice, at: network.port)
                #expect(log.count { ServerLog.isApplicationMessage($0) } == 1)
                #expect(Set(log.map(\.message)).count == log.count, "the server's log holds something twice")
            }
        }

        /// What a command says, and its exit code.
        private func check(_ run: Person.Run, _ command: [String], _ storm: Storm) {
            let words = run.output + run.errors
            let name = Comment(rawValue: "\(storm), \(command): \(run.status) \(words)")
            let isServers = storm.asksToWait || [.unavailable, .badGateway].contains(storm)
            if storm.asksToWait {
                #expect(run.status == 19, name)
                #expect(words.contains("429") || words.contains("503"), name)
            } else if command[0] == "sync" || command[0] == "login" {
                #expect([7, 15].contains(run.status), name)
            } else {
                #expect(run.status == 0, name)
            }
            if isServers { #expect(!words.contains("captive portal"), name) }
            #expect(!words.contains("it has not been tried yet"), name)
            if command[0] == "login" { return }
            #expect(command[0] == "sync" || run.output.contains("queued"), name)
        }

        /// No one is logged in: what is written is kept, and no one is told that it is on its way.
        @Test func whatIsAskedForWithoutASessionSaysThatItNeedsALogin() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                try await alice.run("logout")
                let run = try await alice.attempt("send", "room", "for later")
                #expect(run.status == 3 && run.output.contains("nothing is sent before `waxwing login`"), "\(run)")
                let rotate = try await alice.attempt("group", "rotate", "room", "--json")
                #expect(rotate.status == 3 && rotate.output.contains("waxwing login"), "\(rotate)")
                let sync = try await alice.attempt("sync")
                #expect(sync.status == 3, "\(sync)")
                // Someone who only wants it queued gets that.
                let queue = try await alice.attempt("send", "room", "and more", "--queue")
                #expect(queue.status == 0 && queue.output.contains("waxwing login"), "\(queue)")
                try await alice.run("login", "--password-file", alice.passwordFile)
                try await stage.settle(people)
                #expect(try await people[1].texts("room", from: alice) == ["for later", "and more"])
            }
        }
    }
}

extension EndToEnd.RetryStormTests.Understudy {
    func run(_ more: String...) async throws -> Person.Run {
        let process = try person.start(command + more)
        let exit = try await process.exit()
        return Person.Run(exit: exit, output: process.output, errors: process.errors)
    }
}

extension HTTPRequest {
    /// The token that came with it, in the usual header.
    fileprivate var bearer: String? { headers.first { $0[0] == "authorization" }?[1] }
}
