import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// `waxwingd` as its operator uses it, beside a server that runs.
@Suite(.serialized) struct OperatingProcessTests {
    /// What a command printed.
    private func run(_ arguments: [String], status: Int32 = 0) async throws -> String {
        let daemon = try Daemon(arguments)
        let text = try await onThread {
            String(decoding: daemon.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        let exit = try await daemon.exit()
        #expect(exit == status, "\(arguments): \(daemon.errorText())")
        return text
    }

    @Test func anOperatorManagesUsersWhileTheServerRuns() async throws {
        try await withDirectory { directory in
            let daemon = try Daemon(["--data", directory, "--listen", "127.0.0.1:0"])
            let port = try await daemon.port()
            let alice = try await User.register("alice", port: port)
            let bob = try await User.register("bob", port: port)
            let created = try await alice.post("groups", WireCreateGroupRequest.with { $0.groupName = "g" })
            let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
            try await alice.message(Array("hello".utf8), to: group).expect(Outcome(200))
            let data = ["--data", directory]
            #expect(try await run(["admin", "user", "list"] + data).contains("alice\t\(alice.id)\t"))
            #expect(try await run(["admin", "group", "list"] + data).contains("g\t\(group)\tprivate\t1\t1\t5"))
            #expect(try await run(["admin", "usage"] + data).split(separator: "\n")[1].hasPrefix("alice\t5\t1\t1\t"))

            // The stream of a disabled user ends, and they do not come back.
            let stream = try HTTPConnection(port: port)
            try stream.send("GET", "/api/v1/events", headers: ["Authorization": "Bearer \(bob.token)"], body: [])
            #expect(try stream.readHead().status == 200)
            _ = try await run(["admin", "user", "disable", "bob"] + data)
            try await onThread { while try stream.readChunk() != nil {} }
            #expect(try await bob.get("me").outcome == Outcome(401, 202))
            let login = WireLoginRequest.with {
                $0.username = "bob"
                $0.password = "password"
            }
            #expect(try await bob.post("login", login).outcome == Outcome(403, 302))
            _ = try await run(["admin", "user", "enable", "bob"] + data)
            #expect(try await bob.post("login", login).outcome == Outcome(200))

            let password = try await run(["admin", "user", "reset-password", "bob"] + data)
            #expect(try await bob.post("login", login).outcome == Outcome(401, 202))
            let again = WireLoginRequest.with {
                $0.username = "bob"
                $0.password = String(password.dropLast())
            }
            #expect(try await bob.post("login", again).outcome == Outcome(200))

            // The others hear of a deleted account.
            let poll = try await alice.get("events/poll", WirePollEventsResponse.self).nextCursor
            _ = try await run(["admin", "group", "delete", "g"] + data)
            let news = try await alice.get("events/poll?after=\(poll)&wait=60", WirePollEventsResponse.self)
            #expect(try news.events.map { try WireServerEvent(serializedBytes: $0).event } == [.groupDeleted(group)])
            _ = try await run(["admin", "user", "delete", "bob"] + data)
            #expect(try await alice.get("users/bob").outcome == Outcome(404, 300))
            _ = try await run(["admin", "user", "delete", "bob"] + data, status: 1)
            #expect(try await run(["check"] + data) == "the database is sound\n")
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            #expect(try await run(["admin", "user", "list"] + data).contains("alice"), "without a server, too")
        }
    }

    @Test func theFirstStartSaysHowToLetPeopleIn() async throws {
        try await withDirectory { directory in
            let arguments = ["--data", directory, "--listen", "127.0.0.1:0", "--registration", "token"]
            let daemon = try Daemon(arguments)
            let port = try await daemon.port()
            let token = try await run(["admin", "token", "create", "--data", directory, "--note", "club"]).dropLast()
            #expect(try await run(["admin", "token", "list", "--data", directory]).contains("1\t1\t0\t20"))
            let request = WireRegisterRequest.with {
                $0.username = "alice"
                $0.password = "password"
                $0.registrationToken = String(token)
            }
            let nobody = User(name: "alice", id: try ID.random(), token: "", port: port)
            #expect(try await nobody.post("register", request).outcome == Outcome(201))
            let used = try await run(["admin", "token", "list", "--data", directory])
            #expect(used.contains("1\t0\t1\t20") && used.contains("\tclub\n"))
            _ = try await run(["admin", "token", "revoke", "1", "--data", directory])
            #expect(try await run(["admin", "token", "list", "--data", directory]).split(separator: "\n").count == 1)
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            #expect(daemon.errorText().contains("waxwingd admin token create --data \(directory)"))
            let second = try Daemon(arguments)
            _ = try await second.port()
            second.signal(SIGTERM)
            #expect(try await second.exit() == 0)
            #expect(!second.errorText().contains("token create"))
        }
    }

    @Test func aBackupIsMadeOnlineAndPutBack() async throws {
        try await withDirectory { directory in
            let arguments = ["--data", directory + "/data", "--listen", "127.0.0.1:0"]
            let backup = directory + "/backup.sqlite"
            var daemon = try Daemon(arguments)
            var alice = try await User.register("alice", port: try await daemon.port())
            let created = try await alice.post("groups", WireCreateGroupRequest.with { $0.groupName = "g" })
            let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
            func send(_ text: String) async throws -> UInt64 {
                let reply = try await alice.sendText(text, to: group)
                return try reply.message(WireSendMessageResponse.self).sequenceNum
            }
            #expect(try await send("one") == 1)
            _ = try await run(["backup", "--data", directory + "/data", backup])
            let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            _ = try await run(["backup", "--data", directory + "/data", backup], status: 65)
            #expect(try await send("two") == 2)
            let first = try await alice.get("groups/\(group)/messages")
            #expect(first.headers["waxwing-log-era"] == "1")
            _ = try await run(["restore", "--data", directory + "/data", "--replace", backup], status: 73)
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            _ = try await run(["restore", "--data", directory + "/data", backup], status: 65)
            let said = try await run(["restore", "--data", directory + "/data", "--replace", backup])
            #expect(said == "restored; the logs are in era 2\n")

            daemon = try Daemon(arguments)
            alice = User(name: "alice", id: alice.id, token: alice.token, port: try await daemon.port())
            let log = try await alice.get("groups/\(group)/messages")
            #expect(log.headers["waxwing-log-era"] == "2")
            let rows = try log.message(WireGetMessagesResponse.self).messages
            #expect(rows.map(\.mlsMessage) == [Data("one".utf8)])
            #expect(try await send("another two") > 2, "no number is given out twice")
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            #expect(try await run(["check", "--data", directory + "/data"]) == "the database is sound\n")

            // A damaged backup is refused, and nothing is touched.
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: backup))
            try handle.seek(toOffset: 4096)
            try handle.write(contentsOf: Data(repeating: 0xFF, count: 65_536))
            try handle.close()
            _ = try await run(["restore", "--data", directory + "/data", "--replace", backup], status: 65)
            #expect(try await run(["check", "--data", directory + "/data"]) == "the database is sound\n")
            let files = try FileManager.default.contentsOfDirectory(atPath: directory + "/data").sorted()
            #expect(files == ["waxwing.sqlite", "waxwing.sqlite.replaced"])
        }
    }

    @Test func itIsWatchedOnAnAddressOfItsOwn() async throws {
        try await withDirectory { directory in
            let daemon = try Daemon([
                "--data", directory, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--access-log",
            ])
            // The two lines come in either order.
            let lines = try await onThread {
                var lines = ""
                while lines.count(where: { $0 == "\n" }) < 2 {
                    lines += String(decoding: daemon.output.fileHandleForReading.readData(ofLength: 1), as: UTF8.self)
                }
                return lines.split(separator: "\n")
            }
            func port(_ word: String) throws -> Int {
                let line = try lines.first { $0.contains(word) }.required
                return try Int(line.split(separator: ":").last.required).required
            }
            let alice = try await User.register("alice", port: port("listening"))
            _ = try await alice.get("users/alice")
            let answer = try await alice.get("me")
            let id = try answer.headers["x-request-id"].required
            let monitor = try port("metrics")
            func ask(_ path: String) async throws -> (status: Int, text: String) {
                try await onThread {
                    let connection = try HTTPConnection(port: monitor)
                    try connection.send("GET", path, headers: ["Connection": "close"], body: [])
                    let head = try connection.readHead()
                    return (head.status, String(decoding: try connection.readBody(head.headers), as: UTF8.self))
                }
            }
            #expect(try await ask("/healthz").status == 200)
            #expect(try await ask("/readyz").status == 200)
            #expect(try await ask("/api/v1/me").status == 404)
            #expect(try await alice.get("../../metrics").status == 404)
            let metrics = try await ask("/metrics").text
            #expect(metrics.contains("waxwing_users 1\n"))
            #expect(metrics.contains("waxwing_info{version=\"0.1.0\"} 1\n"))
            #expect(metrics.contains("# TYPE http_server_request_duration_seconds histogram\n"))
            #expect(
                metrics.contains(
                    "hb_requests_total{http_route=\"/api/v1/me\",http_request_method=\"GET\",http_response_status_code=\"200\"} 1"
                ))
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            let log = daemon.errorText()
            let line = try log.split(separator: "\n").first { $0.contains(id) }.required
            #expect(line.contains("route=/api/v1/me") && line.contains("status=200") && line.contains("from=127.0.0.1"))
            #expect(log.contains("/api/v1/users/{name}"))
            for secret in ["users/alice", alice.token, "password"] { #expect(!log.contains(secret), "\(secret)") }
        }
    }

    @Test func itTellsItsVersion() async throws {
        #expect(try await run(["--version"]) == "waxwingd \(waxwingVersion)\n")
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func aHangupReadsTheCertificateAgain() async throws {
        try await withDirectory { directory in
            let (chain, key) = try await makeCertificate(in: directory, commonName: "first")
            let daemon = try Daemon([
                "--data", directory + "/data", "--listen", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", key,
            ])
            let port = try await daemon.port()
            func name() async throws -> String {
                try await openssl("s_client -connect 127.0.0.1:\(port) -alpn h2")
            }
            #expect(try await name().contains("CN = first"))
            _ = try await makeCertificate(in: directory, commonName: "second")
            #expect(try await name().contains("CN = first"))
            daemon.signal(SIGHUP)
            while try await !name().contains("CN = second") {}
            // A certificate that does not work leaves the old one.
            try "none".write(toFile: chain, atomically: true, encoding: .utf8)
            daemon.signal(SIGHUP)
            #expect(try await name().contains("CN = second"))
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            #expect(daemon.errorText().contains("the old one stays"))
        }
    }

    @Test func aWrongFileIsExplained() async throws {
        try await withDirectory { directory in
            let file = directory + "/waxwingd.toml"
            for (text, reason) in [
                ("max-groups = 1\nmax-groups = 2\n", "line 2: max-groups is set twice"), ("max-bananas = 1", "bananas"),
                ("config = \"x\"", "cannot name another file"), ("max-groups = \"many\"", "max-groups"),
                ("x", "is missing"),
            ] {
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                let daemon = try Daemon(["--data", directory, "--config", file, "--listen", "127.0.0.1:0"])
                #expect(try await daemon.exit() == 64, "\(text)")
                let complaint = daemon.errorText()
                #expect(complaint.contains(reason), "\(text): \(complaint)")
            }
            try "listen = \"127.0.0.1:0\"\ndata = \"\(directory)/data\"\n".write(
                toFile: file, atomically: true, encoding: .utf8)
            let daemon = try Daemon(["--config", file])
            _ = try await User.register("alice", port: daemon.port())
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
        }
    }
}
