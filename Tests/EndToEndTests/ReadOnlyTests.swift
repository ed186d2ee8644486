import Foundation
import Testing

extension EndToEnd {
    /// Reading needs no writing: on a disk that is mounted read-only, or full, everything can be read.
    @Suite(.enabled("needs leave to mount: run it as root, or allow user namespaces") { await SmallDisk.isPossible() })
    struct ReadOnlyTests {
        /// Commands that only read, with what they print if all is well.
        private static let commands = [
            "whoami --json", "read room --all --json", "outbox list --all --json", "group list --all --json",
            "group show room --json", "trust show --json", "invites --json", "store show --json",
            "export room --to $WAXWING_HOME/result/room.age --recipient $RECIPIENT --force --json",
        ]
        /// The disk that is put in place of the profile's folder.
        private static let disks = [
            "read-only": """
            mount --bind default default
            mount -o remount,bind,ro default
            """,
            "full": """
            cp -a default full
            mount -t tmpfs -o size=$(( $(du -sk full | cut -f1) + 400 ))k tmpfs default
            cp -a full/. default/
            rm -r full
            dd if=/dev/zero of=default/fill bs=4k 2>>result/dd || true
            head -c 4096 /dev/zero 2>>result/dd >>default/fill && { echo "the disk is not full" >>result/errors; }
            """,
        ]
        /// What may be missing, as in a copy: locks, and the index of SQLite's log.
        private static let missing = [
            "nothing": "", "locks and index": "rm -f default/*.lock default/store.sqlite-shm default/store/lock",
        ]

        @Test(arguments: ["sqlite", "files"]) func everythingCanBeLookedAt(_ store: String) async throws {
            try await withStage { stage in
                var people: [Person] = []
                for name in ["alice", "bob"] {
                    var person = try Person(name, folder: stage.folder)
                    person.plugins = ["WAXWING_STORE": store]
                    try await person.register(at: stage.url)
                    people.append(person)
                }
                let alice = people[0]
                try await stage.room(people)
                try await alice.run("send", "room", "sent before")
                try await interrupt(alice, store)
                let words = try await alice.run("keygen").output.split(whereSeparator: \.isWhitespace)
                let recipient = String(try #require(words.first { $0.hasPrefix("age1") }))

                let before = try listing(alice)
                let expected = try await look(alice, recipient, at: "")
                #expect(expected["1"]?.contains("waits") ?? false, "\(expected)")
                #expect(try listing(alice) == before, "looking has changed something")
                for (disk, mount) in Self.disks {
                    for (lack, removal) in Self.missing {
                        // Removed from a copy: the folder itself stays as the crash left it.
                        let seen = try await look(
                            alice, recipient,
                            at: "cp -a default whole; mount --bind whole default\n\(removal)\n\(mount)")
                        for (number, text) in expected {
                            #expect(seen[number] == text, "\(disk), without \(lack): \(seen["errors"] ?? "")")
                        }
                    }
                }
            }
        }

        /// Leaves the profile as a killed process does: with committed rows that are only in the log, or files that
        /// nothing names.
        private func interrupt(_ alice: Person, _ store: String) async throws {
            let folder = alice.home + "/default"
            if store == "sqlite" {
                // A reader that does not let go keeps the log from being moved into the database.
                let reader = try ChildProcess(
                    "/usr/bin/sqlite3", ["-batch", folder + "/store.sqlite"], environment: Programs.environment,
                    input: "BEGIN;\nSELECT revision FROM meta;\n.shell exec sleep 30\n", folder: alice.home)
                #expect(await eventually { !reader.output.isEmpty }, "\(reader.errors)")
                try await alice.run("send", "room", "waits", "--queue")
                reader.signal(SIGKILL)
                _ = try await reader.exit()
                let log = try FileManager.default.attributesOfItem(atPath: folder + "/store.sqlite-wal")
                try #require((log[.size] as? Int ?? 0) > 4096, "there is nothing in the log")
            } else {
                try await alice.run("send", "room", "waits", "--queue")
                try Data("torn".utf8).write(to: URL(fileURLWithPath: folder + "/store/manifest.next"))
                try Data("torn".utf8).write(to: URL(fileURLWithPath: folder + "/store/history-999999.rows"))
                try Data([0]).write(to: URL(fileURLWithPath: folder + "/store/lock"))
            }
        }

        /// Runs all commands on a disk of a kind.
        ///
        /// - Returns: what each printed, by its number, and under `errors` what went wrong.
        private func look(_ person: Person, _ recipient: String, at disk: String) async throws -> [String: String] {
            let result = person.home + "/result"
            let lines = Self.commands.enumerated().map { number, command in
                "\"$WAXWING\" \(command) >result/\(number) 2>>result/errors || echo \"\(command): $?\" >>result/errors"
            }
            let script = (["cd \"$WAXWING_HOME\"", "mkdir -p result", disk] + lines).joined(separator: "\n")
            let environment = Programs.environment.merging([
                "WAXWING_HOME": person.home, "WAXWING": Programs.waxwing, "RECIPIENT": recipient,
            ]) { $1 }
            let process = try ChildProcess(
                "/usr/bin/unshare", ["--mount", "--map-root-user", "/bin/bash", "-ec", script],
                environment: environment,
                folder: person.home)
            let status = try await process.exit().status
            #expect(status == 0, "\(process.output)\(process.errors)")
            var texts: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: result) {
                texts[name] = FileManager.default.contents(atPath: result + "/" + name).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            #expect(texts["errors"] == nil || texts["errors"] == "", "\(texts["errors"] ?? "") at: \(disk)")
            // An archive is different each time; how much is in it is not.
            let export = "\(Self.commands.count - 1)"
            let line = try JSONDecoder().decode(ExportLine.self, from: Data((texts[export] ?? "").utf8))
            texts = texts.filter { Int($0.key) != nil || $0.key == "errors" }
            texts[export] = "\(line.rows) rows, \(line.waiting) waiting"
            try FileManager.default.removeItem(atPath: result)
            try? FileManager.default.removeItem(atPath: person.home + "/whole")  // If a copy was made.
            return texts
        }

        /// Names and sizes of everything in the profile.
        private func listing(_ person: Person) throws -> [String] {
            let folder = person.home + "/default"
            return try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().map { name in
                let size = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.size] as? Int ?? 0
                return "\(name) \(size)"
            }
        }

        private struct ExportLine: Decodable {
            var rows: Int
            var waiting: Int
        }
    }
}
