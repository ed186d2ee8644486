import Foundation
import Testing

extension EndToEnd {
    /// Conversations written to archives, read with the distribution's tools, and brought back.
    @Suite(.enabled(if: Tools.areThere, "skipped: age, zstd or tar is not installed (apt install age zstd tar)"))
    struct ArchiveTests {
        /// What people with bad intentions write.
        static let hostile = [
            "<script>document.title='OWNED'</script><img src=x onerror=\"document.title='OWNED'\">",
            "\u{202E}dlrow\u{2066} \u{200B}hidden",
            "a line\n# no heading\n</div></body><iframe src=file:///etc/passwd>",
            "* no list [no](javascript:alert(1)) `no code` & \"quotes\" 'too' ☂ 漢字",
        ]

        /// Two people who have talked, and a key for the first one's archives.
        private func talk(_ stage: Stage, alias: String = "Lunch </h2><script>document.title='OWNED'</script>")
            async throws
            -> (alice: Person, bob: Person, recipient: String)
        {
            let people = try await stage.people("alice", "bob")
            let (alice, bob) = (people[0], people[1])
            try await alice.run("group", "create", "room", "--alias", alias)
            try await alice.run("invite", "room", "bob")
            try await bob.sync()
            try await bob.run("accept", "room")
            for text in Self.hostile {
                try await bob.run("send", "room", input: text)
                try await alice.sync()
            }
            try await alice.run("group", "rotate", "room")
            try await alice.run("send", "room", "the last word")
            let key = try await alice.run("keygen", "--to", alice.key).output
            return (alice, bob, String(try #require(key.split(whereSeparator: \.isWhitespace).last)))
        }

        @Test func theToolsOfTheDistributionReadWhatWasSaid() async throws {
            try await withStage { stage in
                let (alice, _, recipient) = try await talk(stage)
                try await alice.run("send", "room", "not yet in the log", "--queue")
                // No server is needed, and none is asked.
                try await stage.server.stop()
                let terminal = try Terminal()
                let file = alice.home + "/room.age"
                let export = try alice.start(
                    ["export", "room", "--to", file, "--recipient", recipient, "--json"], terminal: terminal.programSide
                )
                #expect(try await export.exit().status == 0, "\(terminal.text)")
                #expect(await eventually(within: 5) { terminal.text.contains("exporting: ") }, "\(terminal.text)")
                let view = try #require(try JSONDecoder().decode(ExportLine?.self, from: Data(export.output.utf8)))
                #expect(view.waiting == 1)

                try shell("age -d -i \(alice.key) \(file) | zstd -d | tar -x --one-top-level=\(alice.home)/out")
                let lines = try json(ArchiveLine.self, alice.home + "/out/messages.jsonl")
                let history = try await alice.history("room").filter { $0.sequence != nil }
                #expect(lines.count == history.count && UInt64(lines.count) == view.rows)
                for (line, row) in zip(lines, history) {
                    #expect(line.sequence == row.sequence && line.name == row.sender && line.text == row.text)
                    #expect(line.sha256 == row.digest && line.epoch == row.epoch && line.id == row.messageID)
                }
                #expect(lines.compactMap(\.text) == Self.hostile + ["the last word"])
                let all = try FileManager.default.contentsOfDirectory(atPath: alice.home + "/out")
                    .map { try String(contentsOfFile: alice.home + "/out/" + $0, encoding: .utf8) }.joined()
                #expect(!all.contains("not yet in the log"), "what has no place in the log yet stays out")

                // No clock is in it: the same state gives the same bytes under the seal.
                try await Task.sleep(for: .milliseconds(1100))
                try await alice.run("export", "room", "--to", file + "2", "--recipient", recipient)
                for name in [file, file + "2"] { try shell("age -d -i \(alice.key) \(name) > \(name).zst") }
                try shell("cmp \(file).zst \(file)2.zst && ! cmp -s \(file) \(file)2")
                // An existing file is not silently overwritten.
                let again = try await alice.attempt("export", "room", "--to", file, "--recipient", recipient)
                #expect(again.status == 64 && again.errors.contains("--force"), "\(again.errors)")
                #expect(
                    try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
            }
        }

        @Test(arguments: ["sqlite", "files"])
        func aNewProfileTakesTheHistoryAndGoesOn(_ store: String) async throws {
            try await withStage { stage in
                let (alice, bob, recipient) = try await talk(stage)
                let first = alice.home + "/first.age"
                try await alice.run("export", "--all", "--to", first, "--recipient", recipient)
                // Unpacked, and put together again by the tools alone.
                let again = alice.home + "/again.age"
                try shell(
                    """
                    age -d -i \(alice.key) \(first) | zstd -d | tar -x --one-top-level=\(alice.home)/out
                    tar -C \(alice.home)/out -c README.txt manifest.json members.jsonl messages.jsonl transcript.md \
                    transcript.html trailer.json | zstd -19 | age -r \(recipient) > \(again)
                    """)
                var second = try Person("alice", folder: stage.folder + "/second")
                second.plugins = ["WAXWING_STORE": store]
                try await second.run("login", "alice", "--server", stage.url, "--password-file", second.passwordFile)
                // The login made a new key. People have to say who else could have signed.
                let empty = try await second.run("store", "show", "--json").output
                let older = try await refusedSigner(of: again, second, alice.key)
                #expect(try await second.run("store", "show", "--json").output == empty, "nothing was taken")
                #expect(try await alice.run("whoami", "--json").output.contains(older))
                let stranger = try await second.attempt(
                    "import", again, "--identity", alice.key, "--signer", String(older.reversed()))
                #expect(stranger.status == 17 && stranger.errors.contains("another key"), "\(stranger.errors)")
                let run = try await second.run("import", again, "--identity", alice.key, "--signer", older)
                #expect(
                    run.output.contains(" lines added") && !run.output.contains("left out"),
                    "\(run.output)\(run.errors)")
                // The login has come back into the group, or will: nothing else may follow what the archive holds.
                let (before, now) = (try await alice.history("room"), try await second.history("room"))
                #expect(Array(now.prefix(before.count)) == before)
                #expect(now.dropFirst(before.count).allSatisfy { $0.events?.map(\.kind) == ["rejoined"] }, "\(now)")
                let digest = try await second.run("store", "show", "--json").output
                try await second.run("import", first, "--identity", alice.key, "--signer", older)
                #expect(
                    try await second.run("store", "show", "--json").output == digest, "importing twice changes nothing")

                let copy = second.home + "/copy.age"
                try await second.run("export", "--all", "--to", copy, "--recipient", recipient)
                let views = try await second.run("archive", "list", first, copy, "--identity", alice.key, "--json")
                    .json(ArchiveView.self)
                #expect(views.count == 2)
                #expect((views[0].messagesDigest == views[1].messagesDigest) == (now.count == before.count))
                try shell(
                    """
                    for file in \(first) \(copy); do
                    age -d -i \(alice.key) $file | zstd -d | tar -xO messages.jsonl > $file.jsonl; done
                    head -n \(before.count) \(copy).jsonl | cmp - \(first).jsonl
                    """)

                // Membership comes from the group alone.
                try await second.sync()
                if try await second.details("room").status != "active" {
                    try await second.run("group", "rejoin", "room")
                }
                try await bob.sync()
                try await second.run("send", "room", "back again")
                try await bob.sync()
                #expect(try await bob.texts("room") == second.texts("room"))

                let next = second.home + "/next.age"
                let since = [
                    "export", "--all", "--to", next, "--recipient", recipient, "--since", first, "--identity",
                    alice.key,
                ]
                let unasked = try second.start(since)
                #expect(try await unasked.exit().status == 14, "\(unasked.output)\(unasked.errors)")
                #expect(unasked.errors.contains("--signer \(older)"), "\(unasked.errors)")
                let asked = try second.start(since + ["--signer", older])
                #expect(try await asked.exit().status == 0, "\(asked.errors)")
                let other = try await second.attempt("archive", "verify", first, next, "--identity", alice.key)
                #expect(other.status == 17 && other.output.contains("another key"), "\(other.output)\(other.errors)")
                let own = try #require(try await second.run("whoami", "--json").json(Identity.self).first).fingerprint
                let chain = try await second.run(
                    "archive", "verify", first, next, "--identity", alice.key, "--signer", older, "--signer", own)
                #expect(chain.output.contains("the chain is whole"), "\(chain.output)")
                let gap = try await second.attempt("archive", "verify", next, copy, "--identity", alice.key)
                #expect(gap.status == 17 && gap.output.contains("not here"), "\(gap.output)\(gap.errors)")
                let shown = try await second.run("archive", "show", next, "--identity", alice.key, "--all").output
                #expect(shown.contains("back again") && !shown.contains("the last word"), "\(shown)")
                // An archive that continues another one is refused if the other's lines are not here.
                let whole = try await second.run("import", next, "--identity", alice.key)
                #expect(!whole.errors.contains("not here"), "\(whole.errors)")
                var third = try Person("alice", folder: stage.folder + "/third")
                third.plugins = ["WAXWING_STORE": store]
                try await third.run("login", "alice", "--server", stage.url, "--password-file", third.passwordFile)
                let newer = try await refusedSigner(of: next, third, alice.key)
                #expect(newer != older)
                let part = try await third.run("import", next, "--identity", alice.key, "--signer", newer)
                #expect(part.errors.contains("continues an archive that is not here"), "\(part.errors)")
                let rest = try await third.run(
                    "import", next, first, "--identity", alice.key, "--signer", newer, "--signer", older)
                #expect(!rest.errors.contains("not here"), "\(rest.errors)")
                // It does not belong in Bob's profile.
                let bobs = try await bob.attempt("import", first, "--identity", alice.key)
                #expect(bobs.status == 14, "\(bobs.errors)")
            }
        }

        @Test func anInterruptedExportLeavesNothingUnderTheName() async throws {
            try await withStage { stage in
                let (alice, _, _) = try await talk(stage)
                let file = alice.home + "/room.age"
                let words = ["/bin/bash", "-c", "exec 5<<<'long and secret'; exec \"$@\"", "sh"]
                for signal in [SIGINT, SIGKILL, SIGTERM, SIGKILL] {
                    // Deriving the key from a passphrase takes a second: the middle of an export.
                    let export = try alice.start(
                        ["export", "room", "--to", file, "--passphrase-fd", "5"], wrapper: words)
                    let isUnderWay = await eventually(within: 20) {
                        FileManager.default.fileExists(atPath: file + ".waxwing-part")
                    }
                    #expect(isUnderWay, "\(export.errors)")
                    try await Task.sleep(for: .milliseconds(200))
                    export.signal(signal)
                    let status = try await export.exit().status
                    #expect(status == (signal == SIGKILL ? -SIGKILL : 130), "\(export.errors)")
                    #expect(!FileManager.default.fileExists(atPath: file))
                    if signal != SIGKILL { #expect(!FileManager.default.fileExists(atPath: file + ".waxwing-part")) }
                }
                let run = try await alice.attempt(
                    "export", "room", "--to", file, "--passphrase-fd", "5", wrapper: words)
                #expect(run.status == 0, "\(run.errors)")
                #expect(!FileManager.default.fileExists(atPath: file + ".waxwing-part"), "nothing is left behind")
                let check = try await alice.attempt("archive", "verify", file, "--passphrase-fd", "5", wrapper: words)
                #expect(check.status == 0 && check.output.contains("whole"), "\(check.output)\(check.errors)")
            }
        }

        @Test func damageIsToldFromAWrongKeyAndNothingIsTaken() async throws {
            try await withStage { stage in
                let (alice, _, recipient) = try await talk(stage)
                let file = alice.home + "/room.age"
                try await alice.run("export", "room", "--to", file, "--recipient", recipient)
                try await alice.run("keygen", "--to", alice.key + "2")
                var second = try Person("alice", folder: stage.folder + "/second")
                second.plugins = ["WAXWING_STORE": "files"]
                try await second.run("login", "alice", "--server", stage.url, "--password-file", second.passwordFile)
                let before = try await second.run("store", "show", "--json").output

                let wrong = try await second.attempt("import", file, "--identity", alice.key + "2")
                #expect(wrong.status == 18 && wrong.errors.contains("sealed to others"), "\(wrong.errors)")
                let whole = try Data(contentsOf: URL(fileURLWithPath: file))
                for place in [whole.count / 4, whole.count / 2, whole.count - 1] {
                    var damaged = whole
                    damaged[place] ^= 1
                    try damaged.write(to: URL(fileURLWithPath: file + ".bad"))
                    let run = try await second.attempt("import", file + ".bad", "--identity", alice.key)
                    #expect(run.status == 17 && run.errors.contains("damaged"), "byte \(place): \(run.errors)")
                }
                for (name, bytes) in [
                    ("cut", whole.dropLast(100)), ("long", whole + [0]), ("none", Data("no archive".utf8)),
                ] {
                    try bytes.write(to: URL(fileURLWithPath: file + ".bad"))
                    let run = try await second.attempt("archive", "verify", file + ".bad", "--identity", alice.key)
                    #expect(run.status == 17, "\(name): \(run.errors)")
                }
                // An archive that is whole does not help one that is not.
                let signer = try await refusedSigner(of: file, second, alice.key)
                let both = try await second.attempt(
                    "import", file, file + ".bad", "--identity", alice.key, "--signer", signer)
                #expect(both.status == 17, "\(both.errors)")
                #expect(try await second.run("store", "show", "--json").output == before, "nothing was taken")

                let words = ["/bin/bash", "-c", "exec 5<<<'wrong words'; exec \"$@\"", "sh"]
                let key = try await second.attempt("archive", "list", file, "--passphrase-fd", "5", wrapper: words)
                #expect(key.status == 18 && key.errors.contains("--identity"), "\(key.errors)")
            }
        }

        @Test func anExportHoldsNothingUpWhileTheProfileIsAtWork() async throws {
            try await withStage { stage in
                let (alice, bob, recipient) = try await talk(stage)
                let watching = try alice.start(["watch"])
                #expect(await eventually { watching.errors.contains("connected") }, "\(watching.errors)")
                let exports = try (0..<4).map { number in
                    try alice.start(["export", "room", "--to", "\(alice.home)/\(number).age", "--recipient", recipient])
                }
                for number in 0..<8 {
                    try await bob.run("send", "room", "meanwhile \(number)")
                    try await alice.run("send", "room", "also \(number)")
                }
                for export in exports { #expect(try await export.exit().status == 0, "\(export.errors)") }
                watching.signal(SIGTERM)
                #expect(try await watching.exit().status == 0)
                let files = (0..<4).map { "\(alice.home)/\($0).age" }
                for file in files {
                    let check = try await alice.run("archive", "verify", file, "--identity", alice.key)
                    #expect(check.output.contains("whole") && !check.output.contains("missing"), "\(check.output)")
                }
                try await bob.sync()
                #expect(try await alice.texts("room") == bob.texts("room"))
            }
        }

        /// Nothing that people wrote runs, loads or hides anything, in the most used browser.
        @Test(.enabled(if: Tools.chromium != nil, "skipped: no headless browser is installed (apt install chromium)"))
        func aBrowserShowsTheTranscriptAndRunsNothing() async throws {
            let chromium = try #require(Tools.chromium)
            try await withStage { stage in
                let (alice, _, recipient) = try await talk(stage)
                let file = alice.home + "/room.age"
                try await alice.run("export", "room", "--to", file, "--recipient", recipient)
                let out = alice.home + "/out"
                try shell("age -d -i \(alice.key) \(file) | zstd -d | tar -x --one-top-level=\(out)")
                let options = "--headless --no-sandbox --disable-gpu --user-data-dir=\(alice.home)/browser"
                try shell(
                    "\(chromium) \(options) --virtual-time-budget=2000 --dump-dom file://\(out)/transcript.html > \(out)/dom"
                )
                let page = try String(contentsOfFile: out + "/dom", encoding: .utf8)
                #expect(page.contains("<title>Conversations</title>"), "something has run")
                for word in ["<script", "<img", "<iframe", "</div></body><"] {
                    #expect(!page.contains(word), "\(word)")
                }
                #expect(page.contains("&lt;script&gt;document.title='OWNED'&lt;/script&gt;"))
                #expect(page.contains("<code>U+202E</code>dlrow<code>U+2066</code>"))
                #expect(page.contains("the last word"))
            }
        }

        // MARK: -

        /// The fingerprint that a refused import names as the way to go on.
        private func refusedSigner(of file: String, _ person: Person, _ key: String) async throws -> String {
            let run = try await person.attempt("import", file, "--identity", key)
            #expect(run.status == 14 && run.errors.contains("not with the key"), "\(run.errors)")
            #expect(run.errors.contains("before a new login"), "\(run.errors)")
            let words = run.errors.split(whereSeparator: \.isWhitespace)
            let option = try #require(words.firstIndex(of: "--signer"), "\(run.errors)")
            return String(try #require(words[option...].dropFirst().first))
        }

        private func shell(_ command: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-e", "-o", "pipefail", "-c", command]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "\(command) failed")
        }

        private func json<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> [Value] {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                .map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
        }
    }
}

/// The tools that the tests of archives call.
private enum Tools {
    static let areThere = ["age", "zstd", "tar"].allSatisfy { find($0) != nil }
    static let chromium = find("chromium")

    private static func find(_ name: String) -> String? {
        ["/usr/bin/", "/bin/"].map { $0 + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

extension Person {
    /// Where the identity for archives is.
    fileprivate var key: String { home + "/archive.key" }
}

/// What `whoami --json` prints.
private struct Identity: Decodable {
    var fingerprint: String
}

/// What `export --json` prints.
private struct ExportLine: Decodable {
    var rows: UInt64
    var waiting: Int
}

/// What `archive list --json` prints.
private struct ArchiveView: Decodable {
    var messagesDigest: String
}

/// A line of `messages.jsonl`.
private struct ArchiveLine: Decodable {
    var sequence: UInt64
    var name: String
    var text: String?
    var epoch: UInt64
    var id: String?
    var sha256: String?
}
