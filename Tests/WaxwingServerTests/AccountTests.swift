import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct AccountTests {
    private func registration(_ name: String, password: String = "password", alias: String = "", token: String = "")
        -> WireRegisterRequest
    {
        .with {
            $0.username = name
            $0.password = password
            $0.alias = alias
            $0.registrationToken = token
        }
    }

    private func login(_ name: String, _ password: String) -> WireLoginRequest {
        .with {
            $0.username = name
            $0.password = password
        }
    }

    @Test func registrationChecksNameAliasAndPassword() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let cases: [(WireRegisterRequest, Outcome)] = [
                (registration("bob"), Outcome(201)),
                (registration("0_Bob"), Outcome(201)),
                (
                    registration(String(repeating: "x", count: 64), alias: String(repeating: "é", count: 32)),
                    Outcome(201)
                ),
                (registration("alice"), Outcome(409, 301)),
                (registration(""), Outcome(400, 101)),
                (registration("_bob"), Outcome(400, 101)),
                (registration("bob-2"), Outcome(400, 101)),
                (registration("böb"), Outcome(400, 101)),
                (registration(String(repeating: "x", count: 65)), Outcome(400, 101)),
                (registration("carol", password: "1234567"), Outcome(400, 101)),
                (registration("carol", alias: String(repeating: "é", count: 33)), Outcome(400, 101)),
                (registration("carol", alias: "a\u{7}b"), Outcome(400, 101)),
                (registration("carol", alias: "a\u{85}b"), Outcome(400, 101)),
            ]
            for (request, expected) in cases {
                #expect(try await alice.post("register", request).outcome == expected, "\(request)")
            }
            let garbage = try await alice.send("POST", "register", headers: [:], body: [0xff, 0xff])
            #expect(garbage.outcome == Outcome(400, 100))
        }
    }

    @Test func registrationCanBeClosedOrAskForAToken() async throws {
        try await TestServer.run {
            $0.registration = .closed
        } _: { server in
            let nobody = User(name: "", id: try .random(), token: "", port: server.port)
            #expect(try await nobody.post("register", registration("alice")).outcome == Outcome(403, 302))
        }
        try await TestServer.run {
            $0.registration = .token("sesame")
        } _: { server in
            let nobody = User(name: "", id: try .random(), token: "", port: server.port)
            for token in ["", "sesam", "sesame "] {
                let reply = try await nobody.post("register", registration("alice", token: token))
                #expect(reply.outcome == Outcome(403, 302))
            }
            #expect(try await nobody.post("register", registration("alice", token: "sesame")).outcome == Outcome(201))
        }
    }

    @Test func loginTellsNothingButRightOrWrong() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let wrong = try await alice.post("login", login("alice", "passwort"))
            let unknown = try await alice.post("login", login("nobody", "passwort"))
            #expect(wrong.outcome == Outcome(401, 202))
            #expect(unknown.outcome == Outcome(401, 202))
            #expect(wrong.body == unknown.body)
            #expect(try await alice.post("login", login("alice\0", "password")).outcome == Outcome(401, 202))

            let reply = try await alice.post("login", login("alice", "password"))
            let session = try reply.message(WireLoginResponse.self)
            #expect(reply.outcome == Outcome(200))
            #expect(session.username == "alice")
            #expect(session.userID == alice.id.blob)
            #expect(session.token.utf8.count == 64 && hexDecode(session.token.utf8) != nil)
        }
    }

    @Test func requestsWithoutAValidTokenAreRefused() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let cases: [(String?, Outcome)] = [
                (nil, Outcome(401, 200)),
                ("Bearer", Outcome(401, 201)),
                ("Basic \(alice.token)", Outcome(401, 201)),
                ("Bearer \(alice.token.dropLast())", Outcome(401, 201)),
                ("Bearer \(alice.token.dropLast())x", Outcome(401, 201)),
                ("Bearer \(String(repeating: "0", count: 64))", Outcome(401, 202)),
                ("Bearer \(alice.token)", Outcome(200)),
            ]
            let nobody = User(name: "", id: alice.id, token: "", port: server.port)
            for path in ["me", "groups", "events", "groups/\(alice.id)/messages"] {
                for (header, expected) in cases where expected.status != 200 || path == "me" {
                    let reply = try await nobody.get(path, headers: header.map { ["Authorization": $0] } ?? [:])
                    #expect(reply.outcome == expected, "\(path) with \(header ?? "no header")")
                }
            }
        }
    }

    @Test func logoutEndsOneSessionOnly() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            var again = alice
            again.token = try await alice.login()
            #expect(try await alice.post("logout").outcome == Outcome(204))
            #expect(try await alice.get("me").outcome == Outcome(401, 202))
            #expect(try await again.get("me").outcome == Outcome(200))
        }
    }

    @Test func tokensSlideAndExpire() async throws {
        try await TestServer.run {
            $0.tokenTTL = 1000
        } _: { server in
            let alice = try await server.user("alice")
            for _ in 0..<5 {
                server.clock.advance(900)
                #expect(try await alice.get("me").outcome == Outcome(200))
            }
            server.clock.advance(900)
            #expect(try await alice.post("reset-account").outcome == Outcome(200), "a write slides too")
            server.clock.advance(999)
            #expect(try await alice.get("me").outcome == Outcome(200))
            server.clock.advance(1000)
            #expect(try await alice.get("me").outcome == Outcome(401, 202))
        }
    }

    @Test func onlyTheHashOfATokenIsStored() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var token = ""
        try await TestServer.run(directory: directory) { server in token = try await server.user("alice").token }
        let bytes = try hexDecode(token.utf8).required
        for file in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let content = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + file))
            #expect(content.firstRange(of: bytes) == nil)
            #expect(content.firstRange(of: Array(token.utf8)) == nil)
            #expect(content.firstRange(of: Array("password".utf8 + [0])) == nil)
        }
    }

    @Test func profileIsShownAndChanged() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let update = WireUpdateProfileRequest.with { $0.alias = "Ali ❄️" }
            #expect(try await alice.patch("me", update).outcome == Outcome(200))
            let bad = WireUpdateProfileRequest.with { $0.alias = "\u{1b}[2J" }
            #expect(try await alice.patch("me", bad).outcome == Outcome(400, 101))

            for path in ["users/alice", "users/by-id/\(alice.id)"] {
                let info = try await bob.get(path, WireUserInfoResponse.self)
                #expect(info.userID == alice.id.blob && info.username == "alice" && info.alias == "Ali ❄️")
            }
            #expect(try await alice.get("me", WireUserInfoResponse.self).alias == "Ali ❄️")
            #expect(try await bob.get("users/nobody").outcome == Outcome(404, 300))
            #expect(try await bob.get("users/by-id/\(try ID.random())").outcome == Outcome(404, 300))
        }
    }

    @Test func changingThePasswordEndsAllSessions() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            func change(_ current: String, _ new: String) -> WireChangePasswordRequest {
                .with {
                    $0.currentPassword = current
                    $0.newPassword = new
                }
            }
            #expect(
                try await alice.post("change-password", change("wrong", "new password")).outcome == Outcome(401, 202))
            #expect(try await alice.post("change-password", change("password", "short")).outcome == Outcome(400, 101))
            #expect(try await alice.get("me").outcome == Outcome(200))
            #expect(try await alice.post("change-password", change("password", "new password")).outcome == Outcome(200))
            #expect(try await alice.get("me").outcome == Outcome(401, 202))
            #expect(try await alice.post("login", login("alice", "password")).outcome == Outcome(401, 202))
            #expect(try await alice.post("login", login("alice", "new password")).outcome == Outcome(200))
        }
    }

    @Test func deletingAnAccountTellsItsGroupsAndKeepsItsMessages() async throws {
        try await TestServer.run {
            $0.ordering = .open
        } _: { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let group = try await server.group("g", [alice, bob])
            _ = try await alice.sendText("remember me", to: group)
            let wrong = WireDeleteAccountRequest.with { $0.password = "wrong" }
            #expect(try await alice.post("delete-account", wrong).outcome == Outcome(401, 202))

            let right = WireDeleteAccountRequest.with { $0.password = "password" }
            let events = try await server.events(for: [alice, bob]) {
                try await alice.post("delete-account", right).expect(Outcome(200))
            }
            #expect(events == [[], [.memberRemoved(from: group, user: alice.id)]])
            #expect(try await alice.get("me").outcome == Outcome(401, 202))
            #expect(try await bob.get("users/alice").outcome == Outcome(404, 300))
            #expect(try await bob.log(group).last?.mlsMessage == Data("remember me".utf8))
            let roster = try await bob.groups()[0].members
            #expect(roster.map(\.username) == ["bob"])
            #expect(roster[0].role == .admin, "the last admin's role passes to whoever is longest in the group")
        }
    }

    @Test func tooManyWrongPasswordsWaitAMinute() async throws {
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
        } _: { server in
            let alice = try await server.user("alice")
            for _ in 0..<3 {
                #expect(try await alice.post("login", login("alice", "wrong")).outcome == Outcome(401, 202))
            }
            let held = try await alice.post("login", login("alice", "password"))
            #expect(held.outcome == Outcome(429, 0))
            #expect(held.headers["retry-after"].flatMap { Int($0) } == 20)
            server.clock.advance(20)
            #expect(try await alice.post("login", login("alice", "password")).outcome == Outcome(200))
        }
    }

    /// While no hash gets its turn, guesses beyond the limit are still refused.
    @Test func guessesUnderWayCountToo() async throws {
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
        } _: { server in
            let store = server.server.store
            let accounts = try AccountService(store: store, configuration: store.configuration)
            let body = try login("alice", "wrong").serializedData()
            let (occupied, lane) = AsyncStream<Void>.makeStream()
            let gate = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Int?.self) { tasks in
                for _ in 0..<ServerLimits.hashesAtOnce {
                    tasks.addTask {
                        try await accounts.queue.run {
                            lane.yield()
                            // Never so long, unless the guesses wait, too.
                            _ = gate.wait(timeout: .now() + 20)
                        }
                        return nil
                    }
                }
                var lanes = occupied.makeAsyncIterator()
                for _ in 0..<ServerLimits.hashesAtOnce { await lanes.next() }
                for _ in 0..<16 {
                    tasks.addTask {
                        do {
                            return try await accounts.login(body, from: "::1").status
                        } catch let error as APIError {
                            return error.status
                        }
                    }
                }
                for _ in 0..<13 { #expect(try await tasks.next() == 429) }
                for _ in 0..<ServerLimits.hashesAtOnce { gate.signal() }
                let rest = try await tasks.reduce(into: [Int]()) { if let status = $1 { $0.append(status) } }
                #expect(rest == [401, 401, 401])
            }
        }
    }

    @Test func aRightPasswordCostsNoGuess() async throws {
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
        } _: { server in
            let alice = try await server.user("alice")
            for _ in 0..<2 {
                #expect(try await alice.post("login", login("alice", "wrong")).outcome == Outcome(401, 202))
            }
            for _ in 0..<5 {
                #expect(try await alice.post("login", login("alice", "password")).outcome == Outcome(200))
            }
            #expect(try await alice.post("login", login("alice", "wrong")).outcome == Outcome(401, 202))
            #expect(try await alice.post("login", login("alice", "password")).outcome == Outcome(429, 0))
        }
    }

    /// One letter under a tower of accents is a single character of any size; names that no one can have share a
    /// bucket.
    @Test func whatIsNoUsernameIsCountedTogether() async throws {
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
        } _: { server in
            let alice = try await server.user("alice")
            for accents in [10, 1000, 100_000] {
                let tower = "x" + String(repeating: "\u{301}", count: accents)
                #expect(try await alice.post("login", login(tower, "wrong")).outcome == Outcome(401, 202))
            }
            #expect(try await alice.post("login", login("no name", "wrong")).outcome == Outcome(429, 0))
            #expect(try await alice.post("login", login("alice", "password")).outcome == Outcome(200))
        }
    }

    @Test func oneAddressRegistersSoManyAMinute() async throws {
        try await TestServer.run {
            $0.rateLimit = .perMinute(2)
        } _: { server in
            let alice = try await server.user("alice")
            #expect(try await alice.post("register", registration("bob")).outcome == Outcome(429, 0))
            server.clock.advance(30)
            #expect(try await alice.post("register", registration("bob")).outcome == Outcome(201))
        }
    }

    @Test func passwordHashesNameTheirCost() throws {
        let hash = try PasswordHash(of: "correct horse", cost: .init(logN: 4, blockSize: 8, parallelism: 1))
        #expect(hash.text.hasPrefix("scrypt$4$8$1$"))
        #expect(try hash.matches("correct horse"))
        #expect(try !hash.matches("correct horsf"))
        #expect(try PasswordHash(of: "correct horse", cost: .init(logN: 4)).text != hash.text)
        for broken in ["", "scrypt$4$8$1$00", "scrypt$63$8$1$00$00", "scrypt$x$8$1$00$00", "md5$4$8$1$00$00"] {
            #expect(throws: APIError.self) { try PasswordHash(text: broken).matches("x") }
        }
    }

    /// RFC 7914 §12: scrypt("pleaseletmein", "SodiumChloride", N = 16384, r = 8, p = 1).
    @Test func scryptFollowsItsStandard() throws {
        let salt = hexEncode(Array("SodiumChloride".utf8))
        let key = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        #expect(try PasswordHash(text: "scrypt$14$8$1$\(salt)$\(key)").matches("pleaseletmein"))
    }
}
