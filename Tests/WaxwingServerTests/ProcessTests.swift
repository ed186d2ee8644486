import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite(.serialized) struct ProcessTests {
    @Test(arguments: [SIGTERM, SIGINT]) func aSignalStopsItWithStreamsAndPollsOpen(_ number: Int32) async throws {
        try await withDirectory { directory in
            let daemon = try Daemon(["--data", directory, "--listen", "127.0.0.1:0"])
            let port = try await daemon.port()
            let alice = try await User.register("alice", port: port)
            let idle = try HTTPConnection(port: port)
            let stream = try HTTPConnection(port: port)
            try stream.send("GET", "/api/v1/events", headers: ["Authorization": "Bearer \(alice.token)"], body: [])
            #expect(try stream.readHead().status == 200)
            let poll = try HTTPConnection(port: port)
            let start = try await alice.get("events/poll", WirePollEventsResponse.self).nextCursor
            try poll.send(
                "GET", "/api/v1/events/poll?after=\(start)&wait=60",
                headers: ["Authorization": "Bearer \(alice.token)"], body: [])
            daemon.signal(number)
            #expect(try await daemon.exit() == 0)
            while try stream.readChunk() != nil {}
            withExtendedLifetime((idle, poll)) {}
            let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(files == ["waxwing.sqlite"], "the closed database leaves no journal")
        }
    }

    @Test func aReaderThatNeverReadsDelaysTheStopForSecondsOnly() async throws {
        try await withDirectory { directory in
            let daemon = try Daemon(["--data", directory, "--listen", "127.0.0.1:0"])
            let port = try await daemon.port()
            let alice = try await User.register("alice", port: port)
            let created = try await alice.post("groups", WireCreateGroupRequest.with { $0.groupName = "g" })
            let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
            let big = WireSendMessageRequest.with { $0.mlsMessage = Data(count: ServerLimits.body - 4) }
            for _ in 0..<2 { try await alice.post("groups/\(group)/messages", big).expect(Outcome(200)) }
            let reader = try HTTPConnection(port: port)
            // More answers than the system takes from the server.
            for _ in 0..<8 {
                try reader.send(
                    "GET", "/api/v1/groups/\(group)/messages?limit=2",
                    headers: ["Authorization": "Bearer \(alice.token)"], body: [])
            }
            #expect(try reader.readHead().status == 200)
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            withExtendedLifetime(reader) {}
        }
    }

    @Test func aKillAtAnyMomentLosesNothingThatWasAnswered() async throws {
        try await withDirectory { directory in
            let arguments = ["--data", directory, "--listen", "127.0.0.1:0", "--rate-limit", "off"]
            var daemon = try Daemon(arguments)
            var alice = try await User.register("alice", port: try await daemon.port())
            let created = try await alice.post("groups", WireCreateGroupRequest.with { $0.groupName = "g" })
            let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
            var answered: [UInt64: String] = [:]
            for round in 0..<8 {
                // Four senders, until the server is gone; the moment it goes shifts from round to round.
                let sender = alice
                let seen = try await withThrowingTaskGroup(of: [UInt64: String].self) { tasks in
                    for number in 0..<4 {
                        tasks.addTask {
                            var seen: [UInt64: String] = [:]
                            for count in 0... {
                                let text = "\(round)/\(number)/\(count)"
                                guard let reply = try? await sender.sendText(text, to: group), reply.status == 200
                                else { break }
                                seen[try reply.message(WireSendMessageResponse.self).sequenceNum] = text
                            }
                            return seen
                        }
                    }
                    try await Task.sleep(for: .milliseconds(60 + 37 * round))
                    daemon.signal(SIGKILL)
                    return try await tasks.reduce(into: [:]) { $0.merge($1) { a, b in "\(a) and \(b)" } }
                }
                #expect(try await daemon.exit() == -SIGKILL)
                #expect(Set(seen.keys).isDisjoint(with: answered.keys), "no number is given twice")
                answered.merge(seen) { a, _ in a }
                daemon = try Daemon(arguments)
                alice = User(name: "alice", id: alice.id, token: alice.token, port: try await daemon.port())
            }
            var stored: [UInt64: String] = [:]
            var cursor: UInt64 = 0
            while true {
                let page = try await alice.log(group, query: "?after=\(cursor)&limit=500")
                guard let last = page.last else { break }
                cursor = last.sequenceNum
                for row in page { stored[row.sequenceNum] = String(decoding: row.mlsMessage, as: UTF8.self) }
            }
            #expect(answered.count > 50, "the senders got somewhere")
            for (sequence, text) in answered { #expect(stored[sequence] == text) }
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
        }
    }

    @Test func whatCannotStartSaysWhy() async throws {
        try await withDirectory { directory in
            let file = directory + "/file"
            try Data("no certificate".utf8).write(to: URL(fileURLWithPath: file))
            let taken = try Daemon(["--data", directory + "/first", "--listen", "127.0.0.1:0"])
            let port = try await taken.port()
            let cases: [([String], Int32, String)] = [
                (["--data", file + "/below"], 73, "data directory"),
                (["--data", "/proc"], 73, "not writable"),
                (["--data", directory + "/second", "--listen", "127.0.0.1:\(port)"], 69, "cannot listen"),
                (["--data", directory + "/third", "--listen", "no.such.host.invalid:1"], 69, "cannot listen"),
                (["--data", directory, "--tls-cert", file, "--tls-key", file], 78, "certificate"),
                (["--data", directory, "--tls-cert", file], 64, "go together"),
                (["--data", directory, "--listen", "nowhere"], 64, "listen"),
                (["--data", directory, "--ordering", "loose"], 64, "ordering"),
                (["--data", directory, "--token-ttl", "0"], 64, "token-ttl"),
                (
                    ["--data", directory, "--registration", "closed", "--registration-token", "x"], 64,
                    "needs --registration token"
                ),
                (["--data", directory, "--max-groups", "0"], 64, "max-groups"),
                (["--data", directory, "--max-bytes-kept", "1TB"], 64, "max-bytes-kept"),
                (["--data", directory, "--trusted-proxy", "proxy"], 64, "trusted-proxy"),
                (["--data", directory, "--password-cost", "23"], 64, "password-cost"),
                (["--data", directory, "--header-timeout", "0"], 64, "header-timeout"),
                (["--data", directory, "--config", directory + "/none"], 64, "cannot be read"),
                (["admin", "user", "list", "--data", directory + "/none"], 73, "no database"),
                (["--data", directory, "--registration-token-file", directory + "/none"], 64, "cannot be read"),
                (
                    ["--data", directory, "--registration-token-file", file, "--registration-token", "x"], 64,
                    "not both"
                ),
                (["--listen", "127.0.0.1:0"], 64, "data"),
            ]
            for (arguments, status, reason) in cases {
                let daemon = try Daemon(arguments)
                #expect(try await daemon.exit() == status, "\(arguments)")
                let text = daemon.errorText()
                #expect(text.contains(reason), "\(arguments): \(text)")
            }
            taken.signal(SIGTERM)
            #expect(try await taken.exit() == 0)
            let help = try Daemon(["--help"])
            #expect(try await help.exit() == 0)
            let text = String(decoding: help.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(text.contains("waxwingd --data /var/lib/waxwing --listen 127.0.0.1:8080"))
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func httpsSpeaksBothVersions() async throws {
        try await withDirectory { directory in
            let (chain, key) = try await makeCertificate(in: directory)
            let otherKey = directory + "/other.pem"
            _ = try await openssl("genpkey -algorithm ed25519 -out \(otherKey)")
            let mismatch = try Daemon([
                "--data", directory, "--listen", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", otherKey,
            ])
            #expect(try await mismatch.exit() == 78)
            #expect(mismatch.errorText().contains("certificate"))
            let daemon = try Daemon([
                "--data", directory, "--listen", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", key,
            ])
            let port = try await daemon.port()
            for version in ["h2", "http/1.1"] {
                let session = try await openssl("s_client -connect 127.0.0.1:\(port) -alpn \(version)")
                #expect(session.contains("ALPN protocol: \(version)"))
            }
            for (version, isTaken) in [("tls1_1", false), ("tls1_2", true), ("tls1_3", true)] {
                let session = try await openssl(
                    "s_client -connect 127.0.0.1:\(port) -\(version) -cipher DEFAULT:@SECLEVEL=0")
                #expect(session.contains("Cipher is (NONE)") != isTaken, "\(version)")
            }
            let answer = try await openssl(
                "s_client -quiet -connect 127.0.0.1:\(port) -alpn http/1.1",
                input: "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 401"))
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
        }
    }
}
