import Foundation
import Testing

extension EndToEnd {
    /// Recordings made by someone who means harm, played by real processes.
    @Suite struct StrangersRecordingTests {
        private static let honest = FixtureTests.folder + "/first-conversation.jsonl"

        private static func lines() throws -> [String] {
            try String(contentsOfFile: honest, encoding: .utf8).split(separator: "\n").map(String.init)
        }

        private static func write(_ lines: [String], to path: String) throws {
            let numbered = lines.enumerated().map { index, line in
                line.replacing(/"line":[0-9]+/, with: "\"line\":\(index + 1)")
            }
            try numbered.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        }

        private static func command(_ arguments: [String]) throws -> [String] {
            let words = String(decoding: try JSONEncoder().encode(arguments), as: UTF8.self)
            return [
                "{\"arguments\":\(words),\"kind\":\"command\",\"line\":1}", #"{"code":0,"kind":"exit","line":1}"#,
            ]
        }

        /// Someone with a profile, a place for temporary files and a folder of recordings.
        private struct Victim {
            let folder: String
            var home: String { folder + "/home" }
            var temporary: String { folder + "/tmp" }
            var recordings: String { folder + "/recordings" }

            init(_ folder: String) throws {
                self.folder = folder
                for part in [home, temporary, recordings, folder + "/out", home + "/default"] {
                    try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
                }
                try "mine".write(toFile: home + "/default/settings.json", atomically: true, encoding: .utf8)
                try "mine".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
                // Anyone who writes into the folder of the recording writes here.
                for name in ["default", "alice", "store"] {
                    try FileManager.default.createSymbolicLink(
                        atPath: recordings + "/" + name, withDestinationPath: home + "/default")
                }
            }

            func run(_ arguments: [String], outputs: String) async throws -> Person.Run {
                let environment = Programs.environment.merging([
                    "TMPDIR": temporary, "WAXWING_HOME": home, "HOME": folder,
                ]) { $1 }
                let process = try ChildProcess(
                    Programs.waxwing, arguments, environment: environment, folder: outputs)
                let exit = try await process.exit(within: 120)
                return Person.Run(exit: exit, output: process.output, errors: process.errors)
            }

            /// Every file there is, with its content.
            func contents() throws -> [String: String] {
                var contents: [String: String] = [:]
                for name in FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? [] {
                    contents[name] = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? "folder"
                }
                return contents
            }
        }

        @Test func whatAReplayDoesNotDoIsNamedAndNothingIsDone() async throws {
            try await withFolder { outputs in
                try await withFolder { folder in
                    let victim = try Victim(folder)
                    let out = folder + "/out/"
                    let bad: [(arguments: [String], words: String)] = [
                        (["keygen", "--to", out + "key"], "keygen"), (["keygen", "--to=\(out)key"], "keygen"),
                        (["export", "--all", "--to", out + "x.age", "--passphrase"], "export"),
                        (["--profile=../out/p", "export", "--all", "--to=\(folder)/file", "--force"], "export"),
                        (["store", "convert", "files"], "store convert"), (["import", folder + "/file"], "import"),
                        (["record", out + "r.jsonl", "--", "sync"], "record"),
                        (["replay", victim.recordings + "/x.jsonl", "--into", out + "home"], "replay"),
                        (["fixture", "redact", victim.recordings + "/x.jsonl", "--to", out + "c"], "fixture"),
                        (["login", "alice", "--profile", "../../home/default", "--server", "host"], "--profile"),
                        (["login", "alice", "--profile=" + victim.home + "/default"], "--profile"),
                        (["--profile", "..", "register", "eve", "--server", "host"], "--profile"),
                        (["login", "alice", "--transport", "replay:" + folder + "/file"], "--transport"),
                        (["login", "alice", "--ca-file=" + folder + "/file"], "--ca-file"),
                        (["login", "alice", "--password-file", folder + "/file"], "--password-file"),
                        (["register", "eve", "--registration-token-file", folder + "/file"], "--registration-token"),
                        (["read", "lunch", "--follow"], "--follow"), (["\u{1B}[31msend"], "not a command"),
                    ]
                    let path = victim.recordings + "/x.jsonl"
                    for (arguments, words) in bad {
                        // After an honest session, which is not carried out either.
                        try Self.write(try Self.lines() + Self.command(arguments), to: path)
                        let before = try victim.contents()
                        for options in [[], ["--store", "files", "--json"]] {
                            let run = try await victim.run(["replay", path] + options, outputs: outputs)
                            #expect(run.status == 64 && run.output.isEmpty, "\(arguments): \(run.status)")
                            #expect(run.errors.contains(words) && run.errors.contains("line "), "\(run.errors)")
                            #expect(!run.errors.contains("\u{1B}"))
                        }
                        #expect(try victim.contents() == before, "\(arguments)")
                    }
                }
            }
        }

        @Test func filesThatAreNoRecordingsHoldNobodyUp() async throws {
            try await withFolder { outputs in
                try await withFolder { folder in
                    let victim = try Victim(folder)
                    let path = victim.recordings + "/x.jsonl"
                    func expectRefused(_ path: String, _ words: String) async throws {
                        for command in ["replay", "fixture verify", "fixture inspect"] {
                            let arguments = command.split(separator: " ").map(String.init) + [path]
                            let run = try await victim.run(arguments, outputs: outputs)
                            #expect(run.status == 64 && run.errors.contains(words), "\(command) \(path): \(run.errors)")
                        }
                    }
                    #expect(FileManager.default.createFile(atPath: path, contents: nil))
                    #expect(truncate(path, (128 << 20) + 1) == 0)
                    try await expectRefused(path, "too large")
                    try FileManager.default.removeItem(atPath: path)
                    #expect(mkfifo(path, 0o600) == 0)
                    try await expectRefused(path, "is no file")
                    try await expectRefused("/dev/zero", "is no file")
                    try await expectRefused(victim.recordings, "is no file")
                    try FileManager.default.removeItem(atPath: path)
                    let header = try #require(try Self.lines().first)
                    let (open, close) = (String(repeating: "[", count: 200_000), String(repeating: "]", count: 200_000))
                    let deep = #"{"kind":"exit","line":2,"view":"# + open + close + "}"
                    try (header + "\n" + deep).write(toFile: path, atomically: true, encoding: .utf8)
                    try await expectRefused(path, "line 2 is not a line")
                    try (header + String(repeating: "\n", count: 300_000)).write(
                        toFile: path, atomically: true, encoding: .utf8)
                    try await expectRefused(path, "too much for a recording")
                    for (from, to) in [
                        (#/"milliseconds":[0-9]+/#, #""milliseconds":18446744073709551615"#),
                        (#/"uptime":[0-9]+/#, #""uptime":18446744073709551615"#),
                        (#/"date":[0-9]+/#, #""date":18446744073709551615"#),
                    ] {
                        try Self.write(try Self.lines().map { $0.replacing(from, with: to) }, to: path)
                        try await expectRefused(path, "out of bounds")
                    }
                }
            }
        }

        /// No recording makes the program crash or write elsewhere: thirty that are broken somewhere, each in another
        /// way.
        @Test func brokenRecordingsEndInWords() async throws {
            try await withFolder { outputs in
                try await withFolder { folder in
                    let victim = try Victim(folder)
                    let path = victim.recordings + "/x.jsonl"
                    var dice = Dice(seed: 20_261_130)
                    let honest = try Self.lines()
                    try Self.write(honest, to: path)
                    #expect(try await victim.run(["replay", path], outputs: outputs).status == 0)
                    for round in 0..<30 {
                        var lines = honest
                        for _ in 0...Int.random(in: 0..<3, using: &dice) {
                            let place = Int.random(in: 1..<lines.count, using: &dice)
                            var line = Array(lines[place].utf8)
                            switch round % 3 {
                            case 0:  // Bytes of a body, a frame or random numbers.
                                guard let start = lines[place].firstRange(of: /"(body|bytes|frame)":"/) else {
                                    continue
                                }
                                let from = lines[place].utf8.distance(
                                    from: lines[place].startIndex, to: start.upperBound)
                                let at = Int.random(in: from..<line.count, using: &dice)
                                line[at] = Array("AZaz09+/".utf8).randomElement(using: &dice) ?? 65
                                lines[place] = String(decoding: line, as: UTF8.self)
                            case 1:  // Numbers.
                                let number = ["0", "-1", "99999999999999", "4294967296"].randomElement(using: &dice)
                                lines[place] = lines[place].replacing(
                                    /"(milliseconds|uptime|boot|date|status|id|code)":[0-9]+/
                                ) { "\"\($0.output.1)\":\(number ?? "0")" }
                            default: lines.swapAt(place, Int.random(in: 1..<lines.count, using: &dice))
                            }
                        }
                        try Self.write(lines, to: path)
                        let before = try victim.contents()
                        let run = try await victim.run(["replay", path], outputs: outputs)
                        #expect(run.status >= 0, "round \(round) was ended by a signal: \(run.errors)")
                        #expect(run.status == 0 || !run.errors.isEmpty, "round \(round)")
                        #expect(try victim.contents() == before, "round \(round)")
                    }
                }
            }
        }

        /// Whoever made the recording has the keys that a replay makes.
        @Test func keysOfARecordingReachNoServer() async throws {
            try await withStage { stage in
                let replayed = stage.folder + "/replayed"
                let run = try await Replay.attempt(command: ["replay", Self.honest, "--into", replayed])
                #expect(run.status == 0, "\(run.errors)")
                var eve = try Person("eve", folder: stage.folder)
                func attempt(_ home: String, _ arguments: [String]) async throws -> Person.Run {
                    let process = try eve.start(
                        arguments, environment: ["WAXWING_HOME": home, "WAXWING_TRANSPORT": ""])
                    let exit = try await process.exit()
                    return Person.Run(exit: exit, output: process.output, errors: process.errors)
                }
                #expect(try await attempt(replayed, ["read", "lunch"]).status == 0)
                for command in [
                    ["sync"], ["send", "lunch", "hello", "--queue"], ["sync", "--transport", "poll"],
                    ["login", "alice", "--password-file", eve.passwordFile],
                ] {
                    let run = try await attempt(replayed, command)
                    #expect(run.status == 14 && run.errors.contains("made by a recording"), "\(command): \(run.errors)")
                }
                let stepped = try await attempt(replayed, ["sync", "--transport", "replay:" + Self.honest])
                #expect(stepped.status == 16 && stepped.errors.contains("reached the end"), "\(stepped.errors)")

                // And the other way round: nothing of a recording gets into a profile that is in use.
                try await eve.register(at: stage.url)
                let before = try await eve.run("store", "show", "--json").output
                for command in [["sync"], ["register", "alice", "--server", "http://127.0.0.1:59969"]] {
                    let run = try await attempt(eve.home, command + ["--transport", "replay:" + Self.honest])
                    #expect(run.status == 14, "\(command): \(run.status) \(run.errors)")
                }
                #expect(try await eve.run("store", "show", "--json").output == before)
                eve.recording = stage.folder + "/eve.jsonl"
                let refused = try await eve.attempt("keygen", "--to", stage.folder + "/key")
                #expect(refused.status == 64 && refused.errors.contains("cannot be recorded"), "\(refused.errors)")
                #expect(!FileManager.default.fileExists(atPath: stage.folder + "/key"))
            }
        }

        @Test func aRecordingIsNotWrittenThroughALink() async throws {
            try await withFolder { folder in
                let target = folder + "/target"
                try FileManager.default.createSymbolicLink(atPath: folder + "/x.jsonl", withDestinationPath: target)
                for command in [
                    ["record", folder + "/x.jsonl", "--", "whoami"],
                    ["fixture", "redact", Self.honest, "--to", folder + "/x.jsonl"],
                ] {
                    let run = try await Replay.attempt(command: command)
                    #expect(run.status == 64, "\(command): \(run.errors)")
                    #expect(!FileManager.default.fileExists(atPath: target))
                }
            }
        }
    }
}
