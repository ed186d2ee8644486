import Foundation
import Testing

/// Whatever goes wrong, the message says what, the exit code says which kind, and nothing is lost.
extension EndToEnd {
    @Suite struct ComplaintTests {
        private func expect(
            _ run: Person.Run, status: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(run.status == status, "\(run.output)\(run.errors)", sourceLocation: sourceLocation)
            for word in words {
                #expect(run.errors.contains(word), "\(run.errors)", sourceLocation: sourceLocation)
            }
            #expect(run.errors.hasPrefix("waxwing: "), "\(run.errors)", sourceLocation: sourceLocation)
        }

        @Test func wrongPasswordsAndUnknownNamesAreToldApart() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                let wrong = alice.home + "/wrong"
                try Data("not the password\n".utf8).write(to: URL(fileURLWithPath: wrong))
                expect(try await alice.attempt("login", "--password-file", wrong), status: 4, "password")
                expect(try await alice.attempt("send", "nowhere", "hello"), status: 6, "no group named nowhere")
                expect(try await alice.attempt("read", "nowhere"), status: 6, "no group named nowhere")
                expect(try await alice.attempt("accept", "nowhere"), status: 6, "no invite")
                expect(try await alice.attempt("outbox", "retry", "77"), status: 6, "77")
                // The session that was there is still good.
                try await alice.sync()
                let nobody = try Person("nobody", folder: stage.folder)
                expect(try await nobody.attempt("sync"), status: 3, "no one is logged in")
                expect(
                    try await nobody.attempt("login", "nobody", "--server", stage.url, "--password-file", wrong),
                    status: 4, "password")
            }
        }

        @Test func anExpiredSessionKeepsWhatWaitsForTheNextLogin() async throws {
            try await withStage(options: ["--token-ttl", "3"]) { stage in
                let people = try await stage.people("alice")
                let alice = people[0]
                try await alice.run("login", "--password-file", alice.passwordFile)
                try await alice.run("group", "create", "room", "--queue")
                try await alice.run("send", "room", "for later", "--queue")
                // A session lasts for three seconds without a request: even on a busy machine, a login does not take
                // that long between two.
                let isOver = try await eventually {
                    try await Task.sleep(for: .milliseconds(3500))
                    return try await alice.attempt("sync").status == 5
                }
                #expect(isOver, "the session never ended")
                let run = try await alice.attempt("sync")
                #expect(run.status == 3 || run.status == 5, "\(run.errors)")
                #expect(run.errors.contains("waxwing login"), "\(run.errors)")
                let rows = try await alice.outbox()
                #expect(
                    rows.map(\.kind) == ["create", "message"] && rows.allSatisfy { $0.why.contains("logged in") },
                    "\(rows)")
                // A login continues at once with what waits.
                try await alice.run("login", "--password-file", alice.passwordFile)
                #expect(try await alice.outbox().isEmpty)
                #expect(try await alice.history("room").last?.state == "sent")
            }
        }

        @Test func aServerThatCannotBeReachedIsNamedAsSuch() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await stage.server.stop()
                expect(try await alice.attempt("sync"), status: 7, "connect")
                let newcomer = try Person("newcomer", folder: stage.folder)
                func login(_ server: String) async throws -> Person.Run {
                    try await newcomer.attempt(
                        "login", "newcomer", "--server", server, "--password-file", newcomer.passwordFile)
                }
                expect(try await login("http://127.0.0.1:\(Socket.unusedPort())"), status: 7, "connect")
                expect(try await login("https://no-such-host.invalid:1"), status: 7, "no-such-host.invalid")
                try await stage.server.start()
            }
        }

        @Test(.enabled("needs leave to mount a small disk") { await SmallDisk.isPossible() })
        func aFullDiskStopsASendAndLosesNothing() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                let text = String(repeating: "too much ", count: 2_000)
                let run = try await alice.attempt("send", "room", text, "--queue", wrapper: SmallDisk.untilItFails)
                expect(run, status: 11, "disk", "full")
                let queued = run.output.split(separator: "\n").count
                #expect(queued > 0, "\(run.output)")
                try SmallDisk.keep(of: alice)
                #expect(
                    try await alice.outbox().count == queued, "what was reported as queued must be there, and no more")
                try await alice.run("send", "room", "after")
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: Array(repeating: text, count: queued) + ["after"]])
            }
        }

        @Test(.enabled("needs leave to mount a small disk") { await SmallDisk.isPossible() })
        func aFullDiskStopsAConversionAndLosesNothing() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room", "--queue")
                for number in 0..<12 {
                    try await alice.run(
                        "send", "room", String(repeating: "so much \(number) ", count: 6_000), "--queue")
                }
                try await alice.run("store", "convert", "files")
                func digest() async throws -> String? {
                    try await alice.run("store", "show", "--json").json(StoreLine.self).first?.digest
                }
                let before = try await digest()
                var failures = 0
                for room in stride(from: 0, through: 4800, by: 240) {
                    let run = try await alice.attempt(
                        "store", "convert", "sqlite", wrapper: SmallDisk.once(withRoom: room))
                    if run.status != 0 {
                        failures += 1
                        expect(run, status: 11, "disk", "full")
                    }
                    try SmallDisk.keep(of: alice)
                    #expect(try await digest() == before, "with room for \(room) kB: \(run.errors)")
                    try await alice.run("store", "convert", "files")
                }
                #expect(failures > 3, "there was always enough room")
            }
        }

        @Test func aProfileThatCannotBeWrittenSaysSo() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                // Below a file there can be no folder, not even for root.
                let file = alice.home + "/file"
                try Data().write(to: URL(fileURLWithPath: file))
                let run = try await alice.attempt(
                    "register", "alice", "--server", stage.url, "--password-file", alice.passwordFile,
                    environment: ["WAXWING_HOME": file + "/below"])
                expect(run, status: 10, file)
                expect(
                    try await alice.attempt("read", "room", environment: ["WAXWING_HOME": file]), status: 10, file)
                // A store that is not one.
                let damaged = stage.folder + "/damaged/default"
                try FileManager.default.createDirectory(atPath: damaged, withIntermediateDirectories: true)
                try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: damaged + "/store.sqlite"))
                expect(
                    try await alice.attempt("sync", environment: ["WAXWING_HOME": stage.folder + "/damaged"]),
                    status: 13, "damaged")
            }
        }

        @Test(.enabled("needs leave to mount") { await SmallDisk.isPossible() })
        func aProfileInAReadOnlyPlaceSaysSoAndLosesNothing() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                try await alice.run("send", "room", "before", "--queue")
                let readOnly = [
                    "/usr/bin/unshare", "--mount", "--map-root-user", "/bin/sh", "-ec",
                    """
                    mount --bind "$WAXWING_HOME/default" "$WAXWING_HOME/default"
                    mount -o remount,bind,ro "$WAXWING_HOME/default"
                    exec "$@"
                    """, "sh",
                ]
                let run = try await alice.attempt("send", "room", "never queued", "--queue", wrapper: readOnly)
                expect(run, status: 10, "profile")
                #expect(run.output.isEmpty, "nothing was queued: \(run.output)")
                expect(try await alice.attempt("sync", wrapper: readOnly), status: 10, "profile")
                #expect(try await alice.outbox().map(\.text) == ["before"])
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["before"]])
            }
        }

        @Test(
            .enabled(
                if: getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "needs root"))
        func aProfileOfSomebodyElseSaysSo() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
                for command in [["sync"], ["group", "list"], ["send", "room", "x", "--queue"]] {
                    let process = try alice.start(command, wrapper: nobody)
                    let status = try await process.exit().status
                    #expect(status == 10, "\(process.command): \(process.output)\(process.errors)")
                    #expect(process.errors.contains("profile"), "\(process.errors)")
                }
                try await alice.sync()
            }
        }

        /// A system that trusts the server's certificate, and a user who trusts only another authority.
        @Test func withAnAuthorityOfItsOwnAProfileTrustsNoOther() async throws {
            try await withFolder { folder in
                for name in ["key", "other"] {
                    let openssl = try ChildProcess(
                        "/usr/bin/openssl",
                        "req -x509 -newkey rsa:2048 -nodes -subj /CN=\(name) -addext subjectAltName=IP:127.0.0.1 -days 1"
                            .split(separator: " ").map(String.init)
                            + ["-keyout", "\(folder)/\(name).pem", "-out", "\(folder)/\(name)-chain.pem"],
                        environment: Programs.environment, folder: folder)
                    try #require(try await openssl.exit().status == 0, "\(openssl.errors)")
                }
                let (key, chain) = (folder + "/key.pem", folder + "/key-chain.pem")
                // The folder of the system's authorities, for one process tree.
                let system = [
                    "/usr/bin/unshare", "--mount", "--map-root-user", "/bin/sh", "-ec",
                    """
                    mkdir -p "$0.d"
                    cp "$0" "$0.d/ca-certificates.crt"
                    cp "$0" "$0.d/$(openssl x509 -hash -noout -in "$0").0"
                    mount --bind "$0.d" /etc/ssl/certs
                    export SSL_CERT_DIR=/etc/ssl/certs SSL_CERT_FILE="$0" CURL_CA_BUNDLE="$0"
                    exec "$@"
                    """, chain,
                ]
                try await withStage(options: ["--tls-cert", chain, "--tls-key", key]) { stage in
                    let url = await stage.server.url
                    let alice = try Person("alice", folder: stage.folder)
                    let register = ["--server", url, "--password-file", alice.passwordFile]
                    func attempt(_ name: String, _ options: [String]) async throws -> Person.Run {
                        let process = try alice.start(
                            ["register", name, "--profile", name] + register + options, wrapper: system)
                        let exit = try await process.exit()
                        return Person.Run(exit: exit, output: process.output, errors: process.errors)
                    }
                    let trusting = try await attempt("alice", [])
                    #expect(trusting.status == 0, "the system trusts the certificate: \(trusting.errors)")
                    let strict = try await attempt("bob", ["--ca-file", folder + "/other-chain.pem"])
                    expect(strict, status: 8, "certificate")
                    #expect(try await attempt("carol", ["--ca-file", chain]).status == 0)
                }
            }
        }

        /// Named here and resolved to no one: what counts is what is said before anything is sent.
        @Test func plainHTTPToAnotherMachineHasToBeMeant() async throws {
            try await withFolder { folder in
                let alice = try Person("alice", folder: folder)
                let server = ["--server", "http://chat.invalid", "--password-file", alice.passwordFile]
                for name in ["register", "login"] {
                    let command = [name, "alice", "--profile", name]
                    let process = try alice.start(command + server + ["--json"])
                    #expect(try await process.exit().status == 64)
                    #expect(process.errors.contains("--insecure-http"), "\(process.errors)")
                    #expect(!FileManager.default.fileExists(atPath: alice.home + "/" + name))
                    let meant = try alice.start(command + server + ["--insecure-http"])
                    #expect(try await meant.exit().status == 7, "\(meant.errors)")
                }
            }
        }

        @Test func certificatesDecideWhoIsTrusted() async throws {
            try await withFolder { folder in
                let (key, chain) = (folder + "/key.pem", folder + "/chain.pem")
                let openssl = try ChildProcess(
                    "/usr/bin/openssl",
                    "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -days 1"
                        .split(separator: " ").map(String.init) + ["-keyout", key, "-out", chain],
                    environment: Programs.environment, folder: folder)
                try #require(try await openssl.exit().status == 0, "\(openssl.errors)")
                try await withStage(options: ["--tls-cert", chain, "--tls-key", key]) { stage in
                    let url = await stage.server.url
                    let alice = try Person("alice", folder: stage.folder)
                    let bob = try Person("bob", folder: stage.folder)
                    expect(
                        try await alice.attempt(
                            "register", "alice", "--server", url, "--password-file", alice.passwordFile),
                        status: 8, "certificate", "--ca-file")
                    // With the authority named once, everything works, and the profile remembers it.
                    for person in [alice, bob] { try await person.register(at: url, "--ca-file", chain) }
                    try await stage.room([alice, bob])
                    try await alice.run("send", "room", "over HTTP/2")
                    try await stage.settle([alice, bob])
                    try await expectConverged([alice, bob], sent: [alice: ["over HTTP/2"]])
                }
            }
        }
    }
}

/// A profile on a disk of its own with little room, seen by one process tree only.
enum SmallDisk {
    /// Runs a command again and again until it fails, and copies the profile as it is then.
    static let untilItFails = [
        "/usr/bin/unshare", "--mount", "--map-root-user", "/bin/sh", "-ec",
        """
        cd "$WAXWING_HOME"
        cp -a default full
        mount -t tmpfs -o size=$(( $(du -sk full | cut -f1) + 320 ))k tmpfs default
        cp -a full/. default/
        status=0
        until [ $status -ne 0 ]; do "$@" || status=$?; done
        rm -r full; cp -a default full
        exit $status
        """, "sh",
    ]

    /// Runs a command once, with this many kilobytes of room, and copies the profile as it is then.
    static func once(withRoom room: Int) -> [String] {
        [
            "/usr/bin/unshare", "--mount", "--map-root-user", "/bin/sh", "-ec",
            """
            cd "$WAXWING_HOME"
            cp -a default full
            mount -t tmpfs -o size=$(( $(du -sk full | cut -f1) + \(room) ))k tmpfs default
            cp -a full/. default/
            status=0
            "$@" || status=$?
            rm -r full; cp -a default full
            exit $status
            """, "sh",
        ]
    }

    /// Puts the copy in the profile's place.
    static func keep(of person: Person) throws {
        try FileManager.default.removeItem(atPath: person.home + "/default")
        try FileManager.default.moveItem(atPath: person.home + "/full", toPath: person.home + "/default")
    }

    /// Whether this system lets us mount.
    static func isPossible() async -> Bool {
        var isPossible = false
        try? await withFolder { folder in
            let process = try ChildProcess(
                "/usr/bin/unshare",
                ["--mount", "--map-root-user", "/bin/sh", "-c", "mount -t tmpfs tmpfs \"$0\"", folder],
                environment: Programs.environment, folder: folder)
            isPossible = try await process.exit(within: 10).status == 0
        }
        return isPossible
    }
}
