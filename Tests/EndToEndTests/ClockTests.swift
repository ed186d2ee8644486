import Foundation
import Testing

extension EndToEnd {
    /// Clocks that are wrong, or are set while things happen: nothing is lost, nothing gets stuck, and at the end all
    /// can be invited.
    @Suite(
        .enabled(
            if: FakeClock.library != nil,
            "NOT TESTED: clocks that are wrong, for want of libfaketime (apt-get install faketime)"))
    struct ClockTests {
        /// Whose clock it is.
        enum Whose: CaseIterable, Sendable { case inviter, invitee, both, server, all }

        /// What is wrong with it.
        enum Fault: CaseIterable, Sendable {
            case always1971, always2036, always2099
            case backAnHour, aheadAnHour, backTenYears, aheadTenYears

            /// How far it is ahead before things happen and after, in seconds.
            var ahead: (before: Int, after: Int) {
                let hour = 3_600
                let year = 365 * 24 * hour
                // Some minutes more than an hour: exactly one hour still counts as right.
                return switch self {
                case .always1971: (Self.to(1971), Self.to(1971))
                case .always2036: (Self.to(2036), Self.to(2036))
                case .always2099: (Self.to(2099), Self.to(2099))
                case .backAnHour: (0, -hour - 300)
                case .aheadAnHour: (0, hour + 300)
                case .backTenYears: (0, -10 * year)
                case .aheadTenYears: (0, 10 * year)
                }
            }

            private static func to(_ year: Int) -> Int {
                let calendar = Calendar(identifier: .gregorian)
                let moment = calendar.date(from: DateComponents(year: year, month: 6)) ?? .distantPast
                return Int(moment.timeIntervalSinceNow)
            }
        }

        struct Variant: CustomTestStringConvertible, Sendable {
            var whose: Whose
            var fault: Fault

            var testDescription: String { "\(whose): \(fault)" }
        }

        private static let all = Whose.allCases.flatMap { whose in
            Fault.allCases.map { Variant(whose: whose, fault: $0) }
        }

        /// A different one each day; all if `WAXWING_CLOCKS` is `all`, or one by its number.
        private static let chosen: [Variant] = {
            let wish = ProcessInfo.processInfo.environment["WAXWING_CLOCKS"] ?? ""
            if wish == "all" { return all }
            let number = Int(wish) ?? Int(Date().timeIntervalSince1970 / 86_400)
            // A step that has no divisor in common with their number, so that neighbours are not much alike.
            return [all[number * 8 % all.count]]
        }()

        @Test(arguments: chosen)
        func aWholeStoryGoesWell(_ variant: Variant) async throws {
            try await withFolder { folder in
                let clock = try FakeClock(folder: folder)
                let (before, after) = variant.fault.ahead
                try clock.set(ahead: before)
                let isServers = variant.whose == .server || variant.whose == .all
                try await withStage(clock: isServers ? clock : nil) { stage in
                    func person(_ name: String, _ whose: Whose...) async throws -> Person {
                        var person = try Person(name, folder: stage.folder)
                        if whose.contains(variant.whose) { person.clock = clock }
                        try await person.register(at: stage.url)
                        return person
                    }
                    let alice = try await person("alice", .inviter, .both, .all)
                    let bob = try await person("bob", .invitee, .both, .all)
                    let carol = try await person("carol", .all)
                    try await play(stage, alice, bob, carol) { try clock.set(ahead: after) }

                    try await expectInvitable([alice, bob], by: carol, to: "still")
                    try clock.set(ahead: 0)
                    // The server looks at its clock once a second, for the headers of its answers.
                    #expect(try await eventually { try await !alice.run("sync").errors.contains("clock") })
                    try await stage.settle([alice, bob, carol])
                    try await expectInvitable([alice, bob], by: carol, to: "again")
                    try await expectInvitable([carol], by: bob, to: "in turn")
                }
            }
        }

        private func play(_ stage: Stage, _ alice: Person, _ bob: Person, _ carol: Person, jump: () throws -> Void)
            async throws
        {
            try await stage.room([alice, bob])
            let watch = try bob.start(["watch"])
            #expect(await eventually { watch.errors.contains("connected") }, "\(watch.errors)")
            func isRead(_ text: String) async -> Bool { await eventually { watch.output.contains(text) } }
            try await alice.run("send", "room", "before the jump")
            #expect(await isRead("before the jump"), "\(watch.output)\(watch.errors)")
            try jump()
            try await alice.run("send", "room", "after the jump")
            #expect(await isRead("after the jump"), "\(watch.output)\(watch.errors)")
            try await bob.run("send", "room", "from one who watches")
            try await stage.server.stop()
            try await alice.run("send", "room", "while the server is away", "--wait", "0.5")
            try await stage.server.start()
            try await alice.sync()
            #expect(await isRead("while the server is away"), "\(watch.output)\(watch.errors)")
            watch.signal(SIGTERM)
            #expect(try await watch.exit(within: 20).status == 0, "\(watch.errors)")

            try await bob.run("group", "rotate", "room")
            // If the server's clock is wrong, too, and was right when she was last there, no one can know that hers is
            // not.
            if carol.clock != nil { try await carol.sync() }
            try await letIn(carol, by: alice, to: "room")
            try await carol.run("send", "room", "carol is here")
            try await carol.run("group", "leave", "room")
            try await stage.settle([alice, bob])
            try await letIn(carol, by: alice, to: "room")
            try await alice.run("send", "room", "and once more")
            try await alice.run("group", "remove", "room", "carol")
            try await stage.settle([alice, bob])
            try await expectConverged(
                [alice, bob],
                sent: [
                    alice: ["before the jump", "after the jump", "while the server is away", "and once more"],
                    bob: ["from one who watches"], carol: ["carol is here"],
                ])
            let members = try await alice.details("room").members.map(\.username).sorted()
            #expect(members == ["alice", "bob"])
        }

        private func letIn(_ person: Person, by inviter: Person, to group: String) async throws {
            try await inviter.sync()
            try await inviter.run("invite", group, person.name)
            try await person.sync()
            try await person.run("accept", group)
            try await inviter.sync()
            try await person.sync()
            #expect(try await person.details(group).status == "active", "\(person.name) is not in \(group)")
        }

        private func expectInvitable(_ people: [Person], by inviter: Person, to group: String) async throws {
            let group = group.replacingOccurrences(of: " ", with: "_")
            try await inviter.run("group", "create", group)
            for person in people { try await letIn(person, by: inviter, to: group) }
            let members = try await inviter.details(group).members
            #expect(members.count { $0.inTree && $0.onRoster } == people.count + 1, "\(members)")
        }

        /// As it was before the client checked its own clock: no header tells it the time, and its key packages begin
        /// in 2036.
        @Test func aUserWhoseClockWasWrongOnceIsInvitableAgain() async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                network.play { $0.path.hasPrefix("/api/v1/events") ? .pass : .change { _ in } }
                let clock = try FakeClock(folder: stage.folder)
                try clock.set(ahead: 10 * 365 * 86_400)
                let alice = try #require(try await stage.people("alice").first)
                var bob = try Person("bob", folder: stage.folder)
                bob.clock = clock
                try await bob.register(at: stage.url)
                network.heal()

                try await alice.run("group", "create", "room")
                let refused = try await alice.attempt("invite", "room", "bob")
                #expect(refused.status == 9, "\(refused.output)\(refused.errors)")
                let words = refused.output + refused.errors
                #expect(words.contains("bob's clock was wrong") && words.contains("waxwing sync"), "\(words)")
                let row = try #require(try await alice.outbox().first)
                try await alice.run("outbox", "discard", "\(row.outbox)")

                try clock.set(ahead: 0)
                try await bob.sync()
                try await expectInvitable([bob], by: alice, to: "lunch")
            }
        }

        @Test func aWrongClockIsToldOnceOnStandardErrorAlone() async throws {
            try await withStage { stage in
                let clock = try FakeClock(folder: stage.folder)
                var alice = try Person("alice", folder: stage.folder)
                alice.clock = clock
                try await alice.register(at: stage.url)
                func told(_ run: Person.Run) -> [Substring] {
                    run.errors.split(separator: "\n").filter { $0.contains("clock") }
                }
                let right = try await alice.run("sync", "--json")
                #expect(told(right).isEmpty, "\(right.errors)")
                for (ahead, words) in [(3 * 3_600 + 60, "3 hours ahead"), (-3 * 86_400 - 60, "3 days behind")] {
                    try clock.set(ahead: ahead)
                    let run = try await alice.run("sync", "--json")
                    #expect(told(run).count == 1 && told(run)[0].contains(words), "\(run.errors)")
                    #expect(run.output == right.output)
                }
            }
        }

        @Test func aCertificateThatIsNotValidYetMayMeanThatTheClockIsWrong() async throws {
            try await withFolder { folder in
                let (chain, key) = (folder + "/chain.pem", folder + "/key.pem")
                let openssl = try ChildProcess(
                    "/usr/bin/openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                        chain,
                    ], environment: Programs.environment, folder: folder)
                try #require(try await openssl.exit().status == 0, "\(openssl.errors)")
                try await withStage(options: ["--tls-cert", chain, "--tls-key", key]) { stage in
                    let clock = try FakeClock(folder: stage.folder)
                    var alice = try Person("alice", folder: stage.folder)
                    alice.clock = clock
                    try await alice.register(at: stage.url, "--ca-file", chain)
                    for ahead in [-50 * 365 * 86_400, 10 * 365 * 86_400] {
                        try clock.set(ahead: ahead)
                        let run = try await alice.attempt("sync")
                        #expect(run.status == 8, "\(run.errors)")
                        #expect(run.errors.contains("if this machine's clock is wrong, set it right"), "\(run.errors)")
                    }
                }
            }
        }
    }
}
