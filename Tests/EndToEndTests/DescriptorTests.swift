import Foundation
import Testing

extension EndToEnd {
    /// Standard input, output and error as careless scripts leave them.
    @Suite struct DescriptorTests {
        private static let closed = ["/bin/bash", "-c", "exec \"$@\" 0<&- 1>&- 2>&-", "sh"]
        private static let full = ["/bin/bash", "-c", "exec \"$@\" >/dev/full", "sh"]
        /// With a reader that goes away before it has read anything.
        private static let unread = ["/bin/bash", "-o", "pipefail", "-c", "\"$@\" | :", "sh"]

        @Test func whatIsDoneStandsWhereverTheOutputGoes() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                let texts = ["closed", "full", "unread"]
                for (text, (wrapper, status)) in zip(texts, [(Self.closed, 0), (Self.full, 20), (Self.unread, 0)]) {
                    let run = try await alice.attempt("send", "room", text, wrapper: wrapper)
                    #expect(run.status == status, "\(text): \(run.errors)")
                    if status == 20 {
                        #expect(run.errors.contains("standard output cannot be written"), "\(run.errors)")
                    } else {
                        #expect(run.errors.isEmpty, "\(text): \(run.errors)")
                    }
                }
                #expect(try await alice.texts("room") == texts)
                #expect(try await alice.outbox().isEmpty, "each was sent")

                // What comes later in a command is done, too.
                for text in ["one", "two"] { try await alice.run("send", "room", text, "--queue") }
                let rows = try await alice.outbox().map { "\($0.outbox)" }
                #expect(try await alice.attempt("outbox", "discard", rows[0], rows[1], wrapper: Self.full).status == 20)
                #expect(try await alice.outbox().isEmpty)
                #expect(try await alice.attempt("read", "room", wrapper: Self.full).status == 20)
                let cut = try await alice.attempt("read", "room", "--all", wrapper: Self.unread)
                #expect(cut.status == 0 && cut.errors.isEmpty, "\(cut.errors)")
                // A failure is still reported as what it is.
                #expect(try await alice.attempt("send", "nowhere", "x", wrapper: Self.full).status == 6)

                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: texts])
            }
        }

        @Test func anArchiveGoesToStandardOutput() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room")
                try await alice.run("send", "room", "for the archive")
                let key = alice.home + "/archive.key"
                let words = try await alice.run("keygen", "--to", key).output.split(whereSeparator: \.isWhitespace)
                let export = ["export", "room", "--to", "-", "--recipient", String(try #require(words.last))]

                let process = try alice.start(export)
                #expect(try await process.exit().status == 0, "\(process.errors)")
                #expect(process.errors.contains("wrote -"), "\(process.errors)")
                try await alice.run("archive", "verify", process.outputPath, "--identity", key)
                #expect(!FileManager.default.fileExists(atPath: "-"), "a file of that name was made")
                let identity = try await alice.run("keygen", "--to", "-").output
                #expect(identity.contains("AGE-SECRET-KEY-") && !FileManager.default.fileExists(atPath: "-"))

                // Bytes do not belong on a terminal.
                let terminal = try Terminal()
                let toTerminal = ["/bin/bash", "-c", "exec \"$@\" >&2", "sh"]
                let refused = try alice.start(export, wrapper: toTerminal, terminal: terminal.programSide)
                #expect(try await refused.exit().status == 64)
                #expect(await eventually(within: 5) { terminal.text.contains("terminal") }, "\(terminal.text)")
                // An archive that did not come through is not an archive.
                for wrapper in [Self.full, Self.unread, Self.closed] {
                    let lost = try alice.start(export, wrapper: wrapper)
                    #expect(try await lost.exit().status == 20, "\(wrapper): \(lost.errors)")
                }
            }
        }

        @Test(arguments: [
            "exec \"$@\" 0<&- 1>&- 2>&-", "exec \"$@\" 2> >(:)", "exec \"$@\" >/dev/full 2>&1",
            "exec \"$@\" > >(:) 2>&1",
        ])
        func aServerServesThoughNobodyListensToIt(_ script: String) async throws {
            try await withFolder { folder in
                let port = try Socket.unusedPort()
                let server = try ChildProcess(
                    "/bin/bash",
                    [
                        "-c", script, "sh", Programs.waxwingd, "--data", folder + "/data", "--listen",
                        "127.0.0.1:\(port)", "--log-level", "trace",
                    ], environment: Programs.environment, folder: folder)
                let alice = try Person("alice", folder: folder)
                let isUp = try await eventually {
                    let run = try await alice.attempt(
                        "register", "alice", "--server", "http://127.0.0.1:\(port)", "--password-file",
                        alice.passwordFile)
                    #expect(run.status == 0 || run.status == 7, "\(run.errors)")
                    return run.status == 0 || !server.isRunning
                }
                #expect(isUp && server.isRunning, "\(server.output)\(server.errors)")
                try await alice.run("group", "create", "room")
                for number in 0..<3 { try await alice.run("send", "room", "\(number)") }
                server.signal(SIGTERM)
                #expect(try await server.exit().status == 0, "\(server.errors)")
                let database = folder + "/data/waxwing.sqlite"
                let check = try ChildProcess(
                    "/usr/bin/sqlite3", [database, "PRAGMA integrity_check"], environment: Programs.environment,
                    folder: folder)
                #expect(try await check.exit().status == 0)
                #expect(check.output == "ok\n", "what was meant for a log went into the database: \(check.output)")
            }
        }
    }
}
