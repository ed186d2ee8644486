import Foundation
import Testing

extension EndToEnd {
    /// The recordings of `fixtures/`, replayed.
    @Suite struct FixtureTests {
        static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("fixtures").path

        static let names: [String] = {
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return files.filter { $0.hasSuffix(".jsonl") }.map { String($0.dropLast(6)) }.sorted()
        }()

        @Test func allSessionsAreThere() {
            let expected = [
                "captive-portal", "commit-race", "feed-lags", "first-conversation", "long-absence", "lost-answers",
                "stale-invite",
            ]
            #expect(Self.names == expected)
        }

        /// The same transcript and the same hash of everything stored, on every run and with every store.
        @Test(arguments: names, ["sqlite", "files"])
        func sessionsRepeatToTheByte(_ name: String, _ store: String) async throws {
            let path = Self.folder + "/" + name
            let expected = try String(contentsOfFile: path + ".txt", encoding: .utf8)
            for _ in 0..<2 {
                #expect(try await Replay.run(path + ".jsonl", store) == expected, "\(name) with \(store)")
            }
        }

        @Test func aSessionThatDiffersIsToldWithItsLine() async throws {
            try await withFolder { folder in
                let text = try String(contentsOfFile: Self.folder + "/first-conversation.jsonl", encoding: .utf8)
                var lines = text.split(separator: "\n").map(String.init)
                // A text is sent that differs from the recorded one.
                let index = try #require(lines.firstIndex { $0.contains("Noon at the fountain?") })
                lines[index] = lines[index].replacingOccurrences(of: "Noon", with: "Nine")
                let altered = folder + "/altered.jsonl"
                try lines.joined(separator: "\n").write(toFile: altered, atomically: true, encoding: .utf8)
                let run = try await Replay.attempt(altered)
                #expect(run.status == 16)
                #expect(
                    run.errors.contains("recorded: request") && run.errors.contains("body from byte"), "\(run.errors)")

                // One line is left out, and a line is left over.
                for lines in [Array(lines[..<10] + lines[11...]), Array(lines.dropLast(40))] {
                    try lines.joined(separator: "\n").write(toFile: altered, atomically: true, encoding: .utf8)
                    let run = try await Replay.attempt(altered)
                    #expect(run.status != 0 && !run.errors.isEmpty, "\(run.output)")
                }
            }
        }

        /// Lines that are there twice, or missing, or in another order; renumbered, so that only a replay can find
        /// them.
        @Test func aLineTooManyOrTooFewEndsAReplay() async throws {
            try await withFolder { folder in
                let text = try String(contentsOfFile: Self.folder + "/feed-lags.jsonl", encoding: .utf8)
                let lines = text.split(separator: "\n").map(String.init)
                func places(_ kind: String) -> [Int] {
                    lines.indices.filter { lines[$0].contains("\"kind\":\"\(kind)\"") }
                }
                var altered: [(name: String, lines: [String])] = []
                for kind in ["answer", "event", "request", "clock", "entropy"] {
                    let place = try #require(places(kind).dropFirst().first)
                    altered.append(("\(kind) doubled", Array(lines[...place] + lines[place...])))
                    altered.append(("\(kind) dropped", Array(lines[..<place] + lines[(place + 1)...])))
                }
                // While the client rests before the last event: an answer to a request that already had one, and an
                // event of a feed that is over.
                let watch = try #require(places("command").last { lines[$0].contains("\"watch\"") })
                let rest = try #require(places("event").last)
                for kind in ["answer", "event"] {
                    let place = try #require(places(kind).first { $0 > watch })
                    altered.append(("\(kind) once more", Array(lines[..<rest] + [lines[place]] + lines[rest...])))
                }
                let place = try #require(places("answer").dropFirst().first)
                var swapped = lines
                swapped.swapAt(place, place + 1)
                altered.append(("an answer and what follows swapped", swapped))
                for (name, lines) in altered {
                    let path = folder + "/altered.jsonl"
                    let numbered = lines.enumerated().map { index, line in
                        line.replacing(/"line":[0-9]+/, with: "\"line\":\(index + 1)")
                    }
                    try numbered.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
                    let run = try await Replay.attempt(path)
                    #expect(run.status == 16 && run.errors.contains("line "), "\(name): \(run.status) \(run.errors)")
                }
            }
        }

        @Test func aProfileStepsThroughARecording() async throws {
            try await withFolder { folder in
                let path = Self.folder + "/first-conversation.jsonl"
                let home = folder + "/home"
                func run(_ arguments: [String]) async throws -> Person.Run {
                    let environment = Programs.environment.merging(
                        ["WAXWING_HOME": home, "WAXWING_TRANSPORT": ""]) { $1 }
                    let process = try ChildProcess(
                        Programs.waxwing, arguments, environment: environment, folder: folder)
                    let exit = try await process.exit(within: 60)
                    return Person.Run(exit: exit, output: process.output, errors: process.errors)
                }
                var commands: [[String]] = []
                for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
                    let line = try JSONDecoder().decode(RecordedCommand.self, from: Data(line.utf8))
                    if line.kind == "command" { commands.append(line.arguments ?? []) }
                }
                // The registration says where the answers come from, and the profile keeps it.
                commands[0] += ["--transport", "replay:" + path]
                for command in commands {
                    let other = try await run(["send", "lunch", "not what was recorded"])
                    #expect(other.status != 0, "\(command)")
                    let done = try await run(command)
                    #expect(done.status == 0, "\(command): \(done.errors)")
                }
                let after = try await run(["sync"])
                #expect(after.status == 16 && after.errors.contains("reached the end"), "\(after.errors)")
                let shown = try await run(["store", "show", "--json"]).json(StoreLine.self)
                let replayed = try await Replay.run(path)
                #expect(replayed.contains(try #require(shown.first).digest))
            }
        }

        @Test func recordingsGiveNoPasswordAndNoTokenAway() async throws {
            for name in Self.names {
                let text = try String(contentsOfFile: Self.folder + "/" + name + ".jsonl", encoding: .utf8)
                #expect(!text.contains(Person.password))
                let run = try await Replay.attempt(command: ["fixture", "verify", Self.folder + "/" + name + ".jsonl"])
                #expect(run.status == 0, "\(run.errors)")
            }
            try await withStage { stage in
                var alice = try Person("alice", folder: stage.folder)
                alice.recording = stage.folder + "/alice.jsonl"
                try await alice.register(at: stage.url)
                try await alice.run("sync")
                let text = try String(contentsOfFile: stage.folder + "/alice.jsonl", encoding: .utf8)
                // Anyone who has it has the keys: it says so itself, and on the terminal.
                #expect(text.prefix { $0 != "\n" }.contains("Do not share it"))
                let said = try await alice.attempt("sync").errors
                #expect(said.contains("do not share it"), "\(said)")
                let token = try #require(text.range(of: "\"token\":\"[^\"]*", options: .regularExpression))
                #expect(text[token].count < 30, "a token of 64 digits is written: \(text[token])")
                let password = Data(Person.password.utf8).base64EncodedString().dropLast(4)
                #expect(!text.contains(Person.password) && !text.contains(password))
            }
        }

        @Test func aCopyWithoutKeysCanBeReadAndNotPlayed() async throws {
            try await withFolder { folder in
                let copy = folder + "/shared.jsonl"
                let original = Self.folder + "/first-conversation.jsonl"
                #expect(try await Replay.attempt(command: ["fixture", "redact", original, "--to", copy]).status == 0)
                let text = try String(contentsOfFile: copy, encoding: .utf8)
                #expect(!text.contains("fountain") && !text.contains("\"kind\":\"entropy\""))
                #expect(try await Replay.attempt(command: ["fixture", "inspect", copy, "--bodies"]).status == 0)
                #expect(try await Replay.attempt(command: ["fixture", "diff", original, original]).status == 0)
                #expect(try await Replay.attempt(command: ["fixture", "diff", original, copy]).status == 16)
                #expect(try await Replay.attempt(copy).status == 64)
            }
        }
    }
}

private struct RecordedCommand: Decodable {
    var kind: String
    var arguments: [String]?
}

/// `waxwing replay` as a process.
enum Replay {
    /// What it prints, with the hash of the profile last.
    static func run(_ path: String, _ store: String = "sqlite") async throws -> String {
        let run = try await attempt(path, store)
        try #require(run.status == 0, "\(path) with \(store): \(run.errors)")
        return run.output
    }

    static func attempt(_ path: String, _ store: String = "sqlite") async throws -> Person.Run {
        try await attempt(command: ["replay", path, "--store", store, "--json"])
    }

    static func attempt(command: [String]) async throws -> Person.Run {
        var result: Person.Run?
        try await withFolder { folder in
            let environment = Programs.environment.merging(["TZ": "UTC", "TMPDIR": folder]) { $1 }
            let process = try ChildProcess(Programs.waxwing, command, environment: environment, folder: folder)
            let exit = try await process.exit(within: 180)
            result = Person.Run(exit: exit, output: process.output, errors: process.errors)
        }
        return try #require(result)
    }
}
