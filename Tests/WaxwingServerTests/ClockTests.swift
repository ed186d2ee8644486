import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// The server's clock is set: no one is thrown out, and nothing is deleted, before an operator can have seen it.
@Suite struct ClockTests {
    private static let tenYears: Int64 = 10 * 365 * 86_400
    private static let day: Int64 = 86_400

    private func sweep(_ server: TestServer) async throws {
        try await Housekeeping(store: server.server.store).sweep()
    }

    @Test func aClockThatIsSetAheadEndsNothingForADay() async throws {
        try await TestServer.run {
            $0.retention = 30 * Self.day
        } _: { server in
            let users = [try await server.user("alice"), try await server.user("bob"), try await server.user("carol")]
            let (alice, bob, carol) = (users[0], users[1], users[2])
            let group = try await server.group("g", [alice])
            try await alice.sendText("kept", to: group).expect(Outcome(200))
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 0))

            server.clock.set(by: Self.tenYears)
            try await sweep(server)
            try await alice.get("me").expect(Outcome(200))
            #expect(try await alice.log(group).count == 1)
            _ = try await carol.pendingInvite(group)
            server.clock.advance(Self.day - 1)
            try await sweep(server)
            #expect(try await alice.log(group).count == 1)
            try await carol.get("me").expect(Outcome(200))
            // From now on the clock is believed. Those who were there meanwhile still are.
            server.clock.advance(1)
            try await sweep(server)
            try await alice.get("me").expect(Outcome(200))
            #expect(try await bob.get("me").outcome == Outcome(401, 202))
            #expect(try await alice.log(group).isEmpty)
        }
    }

    @Test(arguments: [tenYears, -tenYears])
    func aClockThatIsPutRightAgainLeavesNothingBehind(jump: Int64) async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            server.clock.set(by: jump)
            try await alice.get("me").expect(Outcome(200))
            let carol = try await server.user("carol")
            server.clock.advance(60)
            try await sweep(server)
            server.clock.set(by: -jump)
            try await sweep(server)
            for user in [alice, bob, carol] { try await user.get("me").expect(Outcome(200)) }
            // Sessions last as long as they always do.
            server.clock.advance(30 * Self.day)
            try await sweep(server)
            for user in [alice, bob, carol] { #expect(try await user.get("me").outcome == Outcome(401, 202)) }
        }
    }

    /// It is doubted however often the server starts again.
    @Test(arguments: [tenYears, -tenYears])
    func aServerThatStartsUnderAWrongClockEndsNothing(jump: Int64) async throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var users: [User] = []
        try await TestServer.run(directory: folder) { server in
            for name in ["alice", "bob"] { users.append(try await server.user(name)) }
            try await sweep(server)
        }
        for (ahead, name) in [(jump, "carol"), (jump, "dave"), (0, "erin")] {
            let clock = TestClock()
            clock.set(by: ahead)
            try await TestServer.run(directory: folder) {
                $0.clock = { clock.now }
                $0.uptime = { clock.uptime }
            } _: { server in
                try await sweep(server)
                // Bob is seen only at the end.
                for user in users where user.name != "bob" || ahead == 0 {
                    try await User(name: user.name, id: user.id, token: user.token, port: server.port).get("me")
                        .expect(Outcome(200))
                }
                users.append(try await server.user(name))
            }
        }
    }
}
