import Foundation
import Testing

extension EndToEnd {
    /// What version 0.1.0 left behind: profiles in both stores, a server's data, a recording.
    @Suite struct OldProfileTests {
        /// Where the profiles think their server is.
        private static let port: UInt16 = 21871

        private func withOldFiles(_ body: (String) async throws -> Void) async throws {
            try await withFolder { folder in
                let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                    .appendingPathComponent("../../fixtures/waxwing-0.1.tgz").standardizedFileURL.path
                let tar = try ChildProcess(
                    "/usr/bin/tar", ["xzf", fixture, "-C", folder], environment: Programs.environment, folder: folder)
                try #require(try await tar.exit().status == 0, "\(tar.errors)")
                try await body(folder)
            }
        }

        /// Alice had verified bob, seen carol, and been told that dave has another key. A message of hers waits, and
        /// bob has an invite.
        @Test func peopleGoOn() async throws {
            try await withOldFiles { folder in
                try FileManager.default.createDirectory(atPath: folder + "/daemon", withIntermediateDirectories: true)
                try FileManager.default.moveItem(atPath: folder + "/server", toPath: folder + "/daemon/data")
                let server = try await Server(folder: folder + "/daemon", ordering: .strict, port: Self.port)
                let (alice, bob) = (try Person("alice", folder: folder), try Person("bob", folder: folder))
                for person in [alice, bob] {
                    let held = try await person.run("trust", "list", "--json").output
                    #expect(held.isEmpty, "\(person.name) holds: \(held)")
                    // The sessions of then have expired.
                    try Data("a long password\n".utf8).write(to: URL(fileURLWithPath: person.passwordFile))
                    try await person.run("login", person.name, "--password-file", person.passwordFile)
                }
                #expect(try await trust(alice) == ["own", "verified", "seen", "changed"])
                #expect(try await trust(bob) == ["seen", "own", "seen", "changed"])
                for person in [alice, bob, alice] { try await person.sync() }
                try await bob.run("accept", "attic")
                try await alice.sync()
                try await bob.run("send", "lunch", "on we go")
                try await bob.run("send", "attic", "here I am")
                try await alice.sync()
                for person in [alice, bob] {
                    let texts = try await person.texts("lunch")
                    #expect(texts.suffix(2) == ["waits since 0.1", "on we go"], "\(person.name): \(texts)")
                    #expect(texts.count == 7, "\(person.name): \(texts)")
                    #expect(try await person.texts("attic") == ["here I am"])
                    #expect(try await person.outbox().isEmpty)
                    let held = try await person.run("trust", "list", "--json").output
                    #expect(held.isEmpty, "\(person.name) holds: \(held)")
                }
                let states = [try await alice.details("lunch"), try await bob.details("lunch")]
                #expect(states[0].epochAuthenticator == states[1].epochAuthenticator)
                try await server.stop()
            }
        }

        /// How one of alice, bob, carol and dave judges the others.
        private func trust(_ person: Person) async throws -> [String] {
            struct View: Decodable {
                struct Member: Decodable {
                    var username: String
                    var trust: String
                }
                var members: [Member]
            }
            let view = try #require(try await person.run("group", "show", "lunch", "--json").json(View.self).first)
            return view.members.sorted { $0.username < $1.username }.map(\.trust)
        }

        /// The client now sends other bytes. The first request that differs is named.
        @Test func theRecordingOpens() async throws {
            try await withOldFiles { folder in
                let person = try Person("reader", folder: folder)
                let recording = folder + "/recording.jsonl"
                try await person.run("fixture", "verify", recording)
                let run = try await person.attempt("replay", recording)
                #expect(run.status == 16)
                #expect(run.errors.contains("recorded: request 6: POST /api/v1/key-packages"), "\(run.errors)")
                #expect(run.errors.contains("now:      request 6: POST /api/v1/key-packages"), "\(run.errors)")
            }
        }
    }
}
