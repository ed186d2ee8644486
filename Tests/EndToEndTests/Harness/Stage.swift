import Foundation
import Testing

/// A server, the people who use it, and the network between them, for one test.
struct Stage: Sendable {
    let folder: String
    let server: Server
    /// Through which people reach the server, if the network is part of the story.
    let network: FaultyProxy?
    /// Where people think the server is.
    let url: String
    /// What people's profiles are kept in; by default that of the whole test run.
    var store: Variant.Store?

    /// Registers people, one after the other.
    func people(_ names: String...) async throws -> [Person] {
        var people: [Person] = []
        for name in names {
            var person = try Person(name, folder: folder)
            if let store { person.plugins["WAXWING_STORE"] = store.rawValue }
            try await person.register(at: url)
            people.append(person)
        }
        return people
    }

    /// A group `room`, made by the first, with everyone in it and nothing left to do for anyone.
    func room(_ people: [Person]) async throws {
        let founder = people[0]
        try await founder.run("group", "create", "room")
        for person in people.dropFirst() {
            try await founder.run("invite", "room", person.name)
            try await person.sync()
            try await person.run("accept", "room")
            // An invite is made for the epoch its inviter knows.
            try await founder.sync()
        }
        for person in people { try await person.sync() }
        let details = try await founder.details("room")
        try #require(details.members.count { $0.inTree } == people.count, "not everybody came in: \(details)")
    }

    /// Lets everyone sync until no one has anything left to send, and again to read what the last of them sent.
    func settle(_ people: [Person]) async throws {
        var left = ""
        let isDone = try await eventually {
            for person in people { try await person.sync() }
            for person in people {
                let rows = try await person.outbox()
                // Someone has a new key: people look, and what waited for that goes out.
                for group in Set(rows.filter { $0.state == "held" }.map(\.group)) {
                    try await person.run("read", group)
                }
                left = rows.map { "\(person.name): \($0.kind) \($0.state), \($0.why)" }.joined(separator: "; ")
                if !rows.isEmpty { return false }
            }
            return true
        }
        #expect(isDone, "somebody's outbox never empties: \(left)")
        for person in people { try await person.sync() }
    }
}

/// Sets a stage in a folder of its own, and clears it away.
///
/// - Parameters:
///   - hasNetwork: put a ``FaultyProxy`` between people and server.
///   - options: more arguments for `waxwingd`.
///   - clock: the server's; the right one if it is nil.
///   - store: what people's profiles are kept in.
func withStage(
    _ ordering: Server.Ordering = .strict, hasNetwork: Bool = false, options: [String] = [],
    clock: FakeClock? = nil, store: Variant.Store? = nil,
    _ play: (Stage) async throws -> Void
) async throws {
    try await withFolder { folder in
        let server = try await Server(folder: folder + "/server", ordering: ordering, options: options, clock: clock)
        var network: FaultyProxy?
        var url = await server.url
        if hasNetwork {
            let proxy = try FaultyProxy(server: await server.port)
            (network, url) = (proxy, proxy.url)
        }
        let stage = Stage(folder: folder, server: server, network: network, url: url, store: store)
        do {
            try await play(stage)
        } catch {
            try? await server.kill()
            throw error
        }
        try await server.stop()
    }
}

/// Gives a new folder in the system's temporary one, and deletes it afterwards, unless `WAXWING_KEEP` is set.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
        // What is left behind is in the system's temporary folder.
        if ProcessInfo.processInfo.environment["WAXWING_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
    try await body(folder)
}

/// What must hold after everything: the same keys, nothing left to do, and every text exactly once and in order for
/// everyone.
func expectConverged(
    _ people: [Person], in group: String = "room", sent: [Person: [String]],
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    var authenticators: Set<String> = []
    var transcripts: Set<[String]> = []
    var digests: [String: String] = [:]
    for person in people {
        let details = try await person.details(group)
        authenticators.insert("epoch \(details.epoch): \(details.epochAuthenticator ?? "no keys")")
        let outbox = try await person.outbox()
        #expect(outbox.isEmpty, "\(person.name) has something left", sourceLocation: sourceLocation)
        let history = try await person.history(group)
        let unreadable = history.filter { $0.kind == "unreadable" }
        #expect(
            unreadable.isEmpty, "\(person.name) could not open something: a key was used twice, or a row was lost",
            sourceLocation: sourceLocation)
        for (sender, texts) in sent {
            #expect(
                history.filter { $0.sender == sender.name }.compactMap(\.text) == texts,
                "\(person.name) does not read exactly what \(sender.name) sent, in order: \(history.map { "\($0.sender): \($0.text ?? $0.kind)" })",
                sourceLocation: sourceLocation)
        }
        transcripts.insert(
            history.compactMap { line in line.text.map { "\(line.sequence ?? 0) \(line.sender): \($0)" } })
        // A key and its nonce belong to one (sender, epoch, generation): two ciphertexts under it would give the texts
        // away.
        for line in history {
            guard let generation = line.generation, let digest = line.digest else { continue }
            let key = "\(line.sender), epoch \(line.epoch), generation \(generation)"
            let known = digests.updateValue(digest, forKey: key) ?? digest
            #expect(known == digest, "two ciphertexts for \(key)", sourceLocation: sourceLocation)
        }
    }
    #expect(authenticators.count == 1, "the group has split: \(authenticators)", sourceLocation: sourceLocation)
    #expect(transcripts.count == 1, "the transcripts differ", sourceLocation: sourceLocation)
}
