import Foundation
import Testing

extension EndToEnd {
    /// The disk is full at one call or another of a command: what it says, its exit code and what is on the disk agree,
    /// so that no one asks twice for what is on its way, and no one believes done what is lost.
    @Suite struct DiskFullTests {
        static let stores = ["sqlite", "files"]

        /// Exit code 0: it is there, once, as was said. 10 or 11: it is not there, and is not said to be.
        @Test(arguments: stores) func whatIsSaidOfAMessageIsSo(_ store: String) async throws {
            try await withStage { stage in
                let people = try await people(stage, store, "alice", "bob")
                let alice = people[0]
                let profile = alice.home + "/default"
                try await stage.room(people)
                var sent = ["counted"]
                let faults = try await DiskFault.chosen(below: profile, few: 5) { environment in
                    _ = try await alice.attempt("send", "room", "counted", environment: environment)
                }
                for fault in faults {
                    let text = "\(fault)"
                    let run = try await alice.attempt(
                        "send", "room", text, environment: fault.environment(below: profile))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    let waits = try await alice.outbox().contains { $0.text == text }
                    let there = try await alice.texts("room").count { $0 == text }
                    if run.status == 0 {
                        sent.append(text)
                        #expect(there == 1, told)
                        #expect(run.output.hasPrefix(waits ? "queued: " : "sent"), told)
                    } else {
                        #expect([10, 11].contains(run.status), told)
                        #expect(there == 0 && !waits && !run.errors.contains("is queued"), told)
                    }
                }
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: sent])
            }
        }

        @Test(arguments: stores) func whatIsSaidOfGroupsAndTheirKeysIsSo(_ store: String) async throws {
            try await withStage { stage in
                let people = try await people(stage, store, "alice", "bob")
                let alice = people[0]
                let profile = alice.home + "/default"
                try await stage.room(people)
                let rotations = try await DiskFault.chosen(below: profile) { environment in
                    _ = try await alice.attempt("group", "rotate", "room", environment: environment)
                }
                for fault in rotations {
                    let before = try await alice.details("room").epoch
                    let run = try await alice.attempt(
                        "group", "rotate", "room", environment: fault.environment(below: profile))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    let waits = try await alice.outbox().contains { $0.kind == "rotate" }
                    let epoch = try await alice.details("room").epoch
                    if run.status == 0 {
                        #expect(run.output.hasPrefix(waits ? "queued: " : "changed"), told)
                        #expect(waits || epoch == before + 1, told)
                    } else {
                        #expect([10, 11].contains(run.status) && !waits && epoch == before, told)
                    }
                    try await alice.sync()
                    #expect(try await alice.details("room").epoch == before + (run.status == 0 ? 1 : 0), told)
                }
                let creations = try await DiskFault.chosen(below: profile) { environment in
                    _ = try await alice.attempt("group", "create", "counted", environment: environment)
                }
                for (number, fault) in creations.enumerated() {
                    let run = try await alice.attempt(
                        "group", "create", "g\(number)", environment: fault.environment(below: profile))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    let groups = try await alice.run("group", "list", "--json").json(GroupLine.self).map(\.name)
                    #expect(groups.contains("g\(number)") == (run.status == 0), told)
                    #expect([0, 10, 11].contains(run.status), told)
                }
                let invitations = try await DiskFault.chosen(below: profile, few: 2) { environment in
                    _ = try await alice.attempt("invite", "counted", "bob", environment: environment)
                }
                try await alice.sync()
                for (number, fault) in invitations.enumerated() {
                    let group = "i\(number)"
                    try await alice.run("group", "create", group)
                    let run = try await alice.attempt(
                        "invite", group, "bob", "alice2", environment: fault.environment(below: profile))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    let waits = try await alice.outbox().filter { $0.kind == "invite" }
                    let invited = try await alice.details(group).invited
                    // Of several, some may be queued and others not: then the message names those that are.
                    if [10, 11].contains(run.status) {
                        #expect(invited.isEmpty, told)
                        #expect(
                            waits.isEmpty || waits.allSatisfy { run.errors.contains("queued: row \($0.outbox)") }, told)
                    } else {
                        // The second one has no account.
                        #expect(run.status == 0 || run.status == 6, told)
                        #expect(!waits.isEmpty || invited == ["bob"], told)
                    }
                    _ = try await alice.attempt("sync")
                    for row in try await alice.outbox() where row.state == "failed" {
                        try await alice.run("outbox", "discard", "\(row.outbox)")
                    }
                }
                try await stage.settle(people)
                try await expectConverged(people, sent: [:])
            }
        }

        /// People who follow the advice have an account in the end.
        @Test(arguments: stores) func aRegistrationSaysHowToGoOn(_ store: String) async throws {
            try await withStage { stage in
                func newcomer(_ number: Int) throws -> Person {
                    var person = try Person("n\(number)", folder: stage.folder)
                    person.plugins = ["WAXWING_STORE": store]
                    return person
                }
                func register(_ person: Person, _ environment: [String: String] = [:]) async throws -> Person.Run {
                    try await person.attempt(
                        "register", person.name, "--server", stage.url, "--password-file", person.passwordFile,
                        environment: environment)
                }
                let first = try newcomer(0)
                let faults = try await DiskFault.chosen(below: first.home + "/default", few: 4) { environment in
                    _ = try await register(first, environment)
                }
                for (number, fault) in faults.enumerated() {
                    let person = try newcomer(number + 1)
                    let run = try await register(person, fault.environment(below: person.home + "/default"))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    #expect([0, 10, 11].contains(run.status), told)
                    if run.errors.contains("waxwing login") {
                        try await person.run(
                            "login", person.name, "--server", stage.url, "--password-file", person.passwordFile)
                    } else if run.status != 0 {
                        let again = try await register(person)
                        #expect(again.status == 0, "\(told): and again: \(again.errors)")
                    }
                    #expect(try await person.run("whoami").output.contains("(logged in)"), told)
                }
            }
        }

        @Test(arguments: stores) func archivesAreWholeOrNotThere(_ store: String) async throws {
            try await withStage { stage in
                let people = try await people(stage, store, "alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                for number in 0..<4 { try await alice.run("send", "room", "line \(number)") }
                let key = alice.home + "/archive.key"
                let words = try await alice.run("keygen", "--to", key).output.split(whereSeparator: \.isWhitespace)
                let recipient = String(try #require(words.last))
                let (folder, file) = (alice.home + "/out", alice.home + "/out/room.age")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                func export(_ environment: [String: String]) async throws -> Person.Run {
                    try? FileManager.default.removeItem(atPath: file)  // If there is one.
                    return try await alice.attempt(
                        "export", "room", "--to", file, "--recipient", recipient, environment: environment)
                }
                let faults = try await DiskFault.chosen(below: folder) { _ = try await export($0) }
                for fault in faults {
                    let run = try await export(fault.environment(below: folder))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    #expect(!FileManager.default.fileExists(atPath: file + ".waxwing-part"), told)
                    let isThere = FileManager.default.fileExists(atPath: file)
                    #expect(isThere == (run.status == 0 || run.errors.contains("is complete")), told)
                    #expect([0, 10, 11].contains(run.status), told)
                    if isThere { try await alice.run("archive", "verify", file, "--identity", key) }
                }

                let archive = alice.home + "/whole.age"
                try await alice.run("export", "room", "--to", archive, "--recipient", recipient)
                let signer = try #require(try await alice.run("whoami", "--json").json(AccountLine.self).first)
                    .fingerprint
                var second = try Person("alice", folder: stage.folder + "/second")
                second.plugins = alice.plugins
                try await second.run("login", "alice", "--server", stage.url, "--password-file", second.passwordFile)
                let profile = second.home + "/default"
                func load(_ environment: [String: String]) async throws -> Person.Run {
                    try await second.attempt(
                        "import", archive, "--identity", key, "--signer", signer, environment: environment)
                }
                let saved = second.home + "/saved"
                try FileManager.default.copyItem(atPath: profile, toPath: saved)
                for fault in try await DiskFault.chosen(below: profile, { _ = try await load($0) }) {
                    try FileManager.default.removeItem(atPath: profile)
                    try FileManager.default.copyItem(atPath: saved, toPath: profile)
                    let run = try await load(fault.environment(below: profile))
                    let told: Comment = "\(fault): \(run.status) \(run.output)\(run.errors)"
                    #expect([0, 10, 11].contains(run.status), told)
                    if run.status != 0 { try #expect(await load([:]).status == 0, told) }
                    #expect(
                        try await second.texts("room").filter { $0.hasPrefix("line") } == (0..<4).map { "line \($0)" },
                        told)
                }
            }
        }

        private func people(_ stage: Stage, _ store: String, _ names: String...) async throws -> [Person] {
            var people: [Person] = []
            for name in names {
                var person = try Person(name, folder: stage.folder)
                person.plugins = ["WAXWING_STORE": store]
                try await person.register(at: stage.url)
                people.append(person)
            }
            return people
        }

        private struct GroupLine: Decodable { var name: String }
        private struct AccountLine: Decodable { var fingerprint: String }
    }
}
