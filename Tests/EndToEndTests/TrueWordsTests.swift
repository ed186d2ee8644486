import Foundation
import Testing

extension EndToEnd {
    /// What people are told is what happened.
    @Suite struct TrueWordsTests {
        private struct Report: Decodable {
            var result: String
            var kind: String
        }

        private struct Complaint: Decodable {
            struct Content: Decodable {
                var code: String
                var message: String
                var hint: String?
                var exit: Int32
            }

            var error: Content
        }

        /// The last line on standard error, which has to be JSON.
        private func complaint(
            _ run: Person.Run, sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> Complaint.Content {
            let line = try #require(run.errors.split(separator: "\n").last, sourceLocation: sourceLocation)
            let content = try JSONDecoder().decode(Complaint.self, from: Data(line.utf8)).error
            #expect(content.exit == run.status && !content.message.isEmpty, "\(line)", sourceLocation: sourceLocation)
            return content
        }

        @Test func forgottenLeftAndDeletedAreToldApart() async throws {
            try await withStage(.open) { stage in
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room([alice, bob])
                // The server is restored to the day before Carol came.
                let (data, backup) = (stage.folder + "/server/data", stage.folder + "/backup")
                try await stage.server.stop()
                try FileManager.default.copyItem(atPath: data, toPath: backup)
                try await stage.server.start()
                try await alice.run("invite", "room", "carol")
                try await carol.sync()
                try await carol.run("accept", "room")
                try await carol.run("send", "room", "here I am")
                for person in people { try await person.sync() }
                try await stage.server.stop()
                try FileManager.default.removeItem(atPath: data)
                try FileManager.default.moveItem(atPath: backup, toPath: data)
                try await stage.server.start()
                try await stage.settle([alice, bob])
                for person in [alice, bob] {
                    let words = try await person.run("read", "room", "--all").output
                    #expect(!words.contains("carol was removed") && !words.contains("carol left"), "\(words)")
                    // No one has done anything to her, so no one's client signs that she is out.
                    let shown = try await person.run("group", "show", "room").output
                    #expect(shown.contains("carol") && shown.contains("off the server's list"), "\(shown)")
                }
                try await alice.run("send", "room", "after the restart")
                for person in [alice, bob] {
                    try await person.sync()
                    // The numbering is restarted: what came since is still there.
                    let since = try await person.run("read", "room", "--since", "4").output
                    #expect(since.contains("after the restart"), "\(since)")
                }
                _ = try await carol.attempt("sync")
                #expect(try await carol.run("read", "room").output.contains("you are no longer a member"))

                try await bob.run("group", "leave", "room")
                try await stage.settle([alice])
                let words = try await alice.run("read", "room", "--all").output
                #expect(words.contains("bob left") && !words.contains("bob was removed"), "\(words)")
                #expect(try await bob.run("read", "room").output.contains("you left the group"))

                try await ServerLog.deleteGroup("room", as: alice, at: stage.server.port)
                _ = try await alice.attempt("sync")
                #expect(try await alice.run("read", "room").output.contains("the group was deleted"))
                let refused = try await alice.attempt("send", "room", "hello?")
                #expect(refused.status == 14 && refused.errors.contains("deleted"), "\(refused.errors)")
            }
        }

        @Test func whoIsOnlyInvitedLosesTheInvite() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob", "carol")
                let (alice, bob, carol) = (people[0], people[1], people[2])
                try await stage.room([alice, bob])
                try await alice.run("invite", "room", "carol")
                try await carol.sync()
                let run = try await alice.run("group", "remove", "room", "carol")
                #expect(run.output == "took back the invite of carol to room\n", "\(run.output)")
                try await carol.sync()
                #expect(try await carol.run("invites", "--json").output.isEmpty)
                // What was seen before: accepted after the removal, and in.
                #expect(try await carol.attempt("accept", "room").status == 6)

                // Without a network the wish is kept.
                try await alice.run("invite", "room", "carol")
                try await stage.server.stop()
                let queued = try await alice.run("group", "remove", "room", "carol", "--wait", "1", "--json")
                let report = try #require(try queued.json(Report.self).first)
                #expect(report.result == "queued" && report.kind == "cancelInvite")
                try await stage.server.start()
                try await alice.run("group", "rotate", "room")
                try await stage.settle([alice, bob])
                try await carol.sync()
                #expect(try await carol.run("invites", "--json").output.isEmpty)
                #expect(try await alice.details("room").invited.isEmpty)

                let nothing = try await alice.attempt("group", "remove", "room", "carol", "--json")
                #expect(nothing.status == 14, "\(nothing.output)\(nothing.errors)")
                #expect(try complaint(nothing).message.contains("nor invited"))
                let stranger = try await alice.attempt("group", "remove", "room", "nosuch", "--json")
                #expect(stranger.status == 6, "\(stranger.output)\(stranger.errors)")
                #expect(try complaint(stranger).message.contains("no user of this name"))
                #expect(try await alice.attempt("invite", "room", "nosuch").status == 6)
                let member = try await alice.run("group", "remove", "room", "bob")
                #expect(member.output == "removed bob from room\n", "\(member.output)")
            }
        }

        @Test func withJSONEveryFailureIsAnObjectOnStandardError() async throws {
            try await withFolder { folder in
                let nobody = try Person("nobody", folder: folder)
                let lines: [(arguments: [String], status: Int32)] = [
                    (["frobnicate"], 64), (["--profile", "x", "frobnicate"], 64), (["send"], 64),
                    (["read", "x", "--last", "1", "--all"], 64), (["whoami"], 3), (["read", "x"], 3), (["sync"], 3),
                    (["watch"], 3), (["store", "show"], 3), (["group", "list"], 3), (["outbox"], 3),
                    (["trust", "show"], 3), (["logout"], 3),
                    (["login"], 64), (["register", "_x", "--server", "localhost"], 64),
                    (["register", "x", "--server", "http://127.0.0.1:1", "--password-file", nobody.passwordFile], 7),
                    (["whoami", "--profile", "../x"], 64), (["export", "--all", "--to", "x", "--recipient", "y"], 3),
                    (["archive", "verify", "none"], 64),
                ]
                for (arguments, status) in lines {
                    let process = try nobody.start(arguments + ["--json"])
                    let exit = try await process.exit(within: 90)
                    let run = Person.Run(exit: exit, output: process.output, errors: process.errors)
                    #expect(run.status == status, "\(arguments): \(run.status) \(run.output)\(run.errors)")
                    #expect(run.output.isEmpty, "\(arguments): \(run.output)")
                    _ = try complaint(run)
                }
            }
        }

        @Test func followingAloneIsSaidOnce() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room")
                let note = "no process is connected"
                let alone = try alice.start(["read", "room", "--follow"])
                #expect(await eventually { alone.errors.contains(note) }, "\(alone.errors)")
                #expect(alone.errors.contains("waxwing watch"), "\(alone.errors)")
                let watch = try alice.start(["watch"])
                #expect(await eventually { watch.errors.contains("connected") }, "\(watch.errors)")
                let beside = try alice.start(["read", "room", "--follow"])
                #expect(await eventually { beside.output.contains("created the group") }, "\(beside.output)")
                try await alice.run("send", "room", "hello")
                #expect(await eventually { beside.output.contains("hello") && alone.output.contains("hello") })
                for process in [alone, beside, watch] {
                    process.signal(SIGINT)
                    #expect(try await process.exit(within: 20).status == 0, "\(process.command): \(process.errors)")
                }
                #expect(!beside.errors.contains(note), "\(beside.errors)")
                #expect(alone.errors.components(separatedBy: note).count == 2, "\(alone.errors)")
            }
        }
    }
}
