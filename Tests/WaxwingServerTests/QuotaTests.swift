import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// What one user may have, and how fast they may ask for more.
@Suite struct QuotaTests {
    private let room = Outcome(413, 302)
    private let wait = Outcome(429, 0)

    @Test func bytesKeptAreCountedExactlyAcrossRestartsAndDeletions() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func change(_ configuration: inout ServerConfiguration) {
            configuration.quotas.bytesKept = 1_000
            configuration.retention = 100
        }
        var (alice, group) = (User?.none, ID?.none)
        try await TestServer.run(directory: directory, change) { server in
            let first = try await server.user("alice")
            let bob = try await server.user("bob")
            let g = try await server.group("g", [first])
            try await first.message([UInt8](repeating: 1, count: 600), to: g).expect(Outcome(200))
            #expect(try await first.message([UInt8](repeating: 1, count: 401), to: g).outcome == room)
            // The invite's four fields count, and its place is free again when it is gone.
            #expect(try await first.escrow(bob, to: g, commit: [UInt8](repeating: 1, count: 400)).outcome == room)
            try await first.message([UInt8](repeating: 1, count: 400), to: g).expect(Outcome(200))
            #expect(try await first.message([1], to: g).outcome == room)
            #expect(try await first.get("groups/\(g)/messages").outcome == Outcome(200), "reading goes on")
            (alice, group) = (first, g)
        }
        try await TestServer.run(directory: directory, change) { server in
            let alice = User(
                name: "alice", id: try alice.required.id, token: try alice.required.token, port: server.port)
            let group = try group.required
            #expect(try await alice.message([1], to: group).outcome == room)
            server.clock.advance(100)
            try await Housekeeping(store: server.server.store).sweep()
            try await alice.message([UInt8](repeating: 1, count: 1_000), to: group).expect(Outcome(200))
            #expect(try await alice.message([1], to: group).outcome == room)
            let kept = try await server.server.store.read { try $0.bytesKept(by: alice.id) }
            #expect(kept == 1_000)
            try await alice.post("groups/\(group)/delete").expect(Outcome(200))
            #expect(try await server.server.store.read { try $0.bytesKept(by: alice.id) } == 0)
        }
    }

    @Test func everyRowHasItsPayer() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let group = try await server.group("g", [alice, bob])
            _ = try await alice.sendText("text", to: group)
            let carol = try await server.user("carol")
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 1))
            let sums = try await server.server.store.read { transaction in
                try [alice, bob].map { user in
                    try transaction.count(
                        """
                        SELECT (SELECT coalesce(sum(length(data)), 0) FROM message WHERE sender_id = ?1)
                            + (SELECT coalesce(sum(length(data)), 0) FROM welcome WHERE sender_id = ?1)
                            + (SELECT coalesce(sum(length(data)), 0) FROM group_info WHERE user_id = ?1)
                            + (SELECT coalesce(sum(length(commit_message) + length(welcome) + length(group_info)), 0)
                                FROM invite WHERE inviter_id = ?1)
                        """, [user.id.blob]) - transaction.bytesKept(by: user.id)
                }
            }
            #expect(sums == [0, 0])
            #expect(try await server.server.store.read { try $0.bytesKept(by: alice.id) } > 0)
        }
    }

    @Test func bytesAMinuteComeBackWithTime() async throws {
        try await TestServer.run({ $0.quotas.bytesPerMinute = 6_000 }) { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let group = try await server.group("g", [alice, bob])
            server.clock.advance(60)
            // The field around a message takes 3 bytes.
            func send(_ count: Int, key: String? = nil) async throws -> Reply {
                try await alice.sendText(String(repeating: "x", count: count - 3), to: group, key: key)
            }
            #expect(try await send(5_000, key: "one").outcome == Outcome(200))
            #expect(try await send(5_000, key: "one").outcome == Outcome(200), "a repeat costs nothing")
            let held = try await send(1_200)
            #expect(held.outcome == wait && held.headers["retry-after"] == "2")
            #expect(try await bob.sendText(String(repeating: "x", count: 5_000), to: group).outcome == Outcome(200))
            server.clock.advance(1)
            #expect(try await send(1_200).outcome == wait)
            server.clock.advance(1)
            #expect(try await send(1_200).outcome == Outcome(200))
            server.clock.set(by: -3_600)
            #expect(try await send(1_000).outcome == wait, "a clock that was set back gives nothing")
        }
    }

    @Test func aUserHasSoManyGroups() async throws {
        try await TestServer.run({ $0.quotas.groups = 2 }) { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let first = try await server.group("g1", [alice])
            _ = try await server.group("g2", [alice])
            func create(_ name: String) async throws -> Outcome {
                try await alice.post("groups", WireCreateGroupRequest.with { $0.groupName = name }).outcome
            }
            #expect(try await create("g3") == room)
            let third = try await server.group("g3", [bob])
            try await bob.invite(alice, to: third, commit: mlsMessage(epoch: 0))
            let invite = try await alice.pendingInvite(third)
            #expect(try await alice.post("invites/\(invite)/accept").outcome == room)
            try await alice.post("groups/\(first)/leave").expect(Outcome(200))
            try await alice.post("invites/\(invite)/accept").expect(Outcome(200))
            #expect(try await create("g4") == room)
        }
    }

    @Test func invitesWaitUpToANumber() async throws {
        try await TestServer.run {
            $0.quotas.invitesSent = 3
            $0.quotas.invitesReceived = 20
        } _: { server in
            let alice = try await server.user("alice")
            let others = try await (0..<4).asyncMap { try await server.user("user\($0)") }
            let groups = try await (0..<3).asyncMap { try await server.group("g\($0)", [alice]) }
            // A tenth of an invitee's list is for one inviter.
            try await alice.invite(others[0], to: groups[0], commit: mlsMessage(epoch: 0))
            try await alice.invite(others[0], to: groups[1], commit: mlsMessage(epoch: 0))
            #expect(try await alice.escrow(others[0], to: groups[2], commit: mlsMessage(epoch: 0)).outcome == room)
            try await alice.invite(others[1], to: groups[0], commit: mlsMessage(epoch: 0))
            #expect(try await alice.escrow(others[2], to: groups[0], commit: mlsMessage(epoch: 0)).outcome == room)
            let invite = try await others[0].pendingInvite(groups[0])
            try await others[0].post("invites/\(invite)/decline").expect(Outcome(200))
            try await alice.invite(others[2], to: groups[0], commit: mlsMessage(epoch: 0))
        }
    }

    @Test func anInviteesListIsBounded() async throws {
        try await TestServer.run({ $0.quotas.invitesReceived = 2 }) { server in
            let victim = try await server.user("victim")
            let inviters = try await (0..<3).asyncMap { try await server.user("user\($0)") }
            for (number, inviter) in inviters.enumerated() {
                let group = try await server.group("g\(number)", [inviter])
                let outcome = try await inviter.escrow(victim, to: group, commit: mlsMessage(epoch: 0)).outcome
                #expect(outcome == (number < 2 ? Outcome(200) : room))
            }
        }
    }

    @Test func keyPackagesAndGroupInfosAreCountedByTheHour() async throws {
        try await TestServer.run {
            $0.quotas.keyPackagesPerHour = 3
            $0.quotas.groupInfosPerHour = 2
        } _: { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let upload = WireUploadKeyPackageRequest.with { request in
                request.entries = [
                    .with {
                        $0.data = Data([0, 1, 0, 5]); $0.isLastResort = true
                    }
                ]
            }
            try await bob.post("key-packages", upload).expect(Outcome(200))
            for _ in 0..<2 { #expect(try await alice.get("key-packages/\(bob.id)").outcome == Outcome(200)) }
            #expect(try await alice.get("key-packages/\(try ID.random())").outcome == Outcome(404, 300))
            let group = try await server.group("g", [alice])
            let invite = WireInviteToGroupRequest.with { $0.userIds = [bob.id.blob] }
            try await alice.post("groups/\(group)/invite", invite).expect(Outcome(200))
            let held = try await alice.get("key-packages/\(bob.id)")
            #expect(held.outcome == wait && held.headers["retry-after"] == "1200")
            #expect(try await alice.post("groups/\(group)/invite", invite).outcome == wait)
            for _ in 0..<2 { try await alice.refresh(groupInfo(epoch: 0, "x"), of: group).expect(Outcome(200)) }
            #expect(try await alice.refresh(groupInfo(epoch: 0, "x"), of: group).outcome == wait)
            server.clock.advance(1_800)
            #expect(try await alice.get("key-packages/\(bob.id)").outcome == Outcome(200))
            #expect(try await alice.refresh(groupInfo(epoch: 0, "x"), of: group).outcome == Outcome(200))
        }
    }

    @Test func longListsComeInPages() async throws {
        try await TestServer.run({ $0.quotas.invitesReceived = nil }) { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            for number in 0..<5 {
                let group = try await server.group("g\(number)", [alice])
                try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 0))
                server.clock.advance(number % 2 == 0 ? 1 : 0)
            }
            #expect(try await alice.groups().map(\.groupName) == (0..<5).map { "g\($0)" })
            var (names, after) = ([String](), "")
            while true {
                let page = try await alice.get("groups?limit=2\(after)")
                names += try page.message(WireListGroupsResponse.self).groups.map(\.groupName)
                guard let next = page.headers["waxwing-next"] else { break }
                after = "&after=\(next)"
            }
            #expect(names == (0..<5).map { "g\($0)" })
            (names, after) = ([], "")
            while true {
                let page = try await bob.get("invites?limit=2\(after)")
                names += try page.message(WireListPendingInvitesResponse.self).invites.map(\.groupName)
                guard let next = page.headers["waxwing-next"] else { break }
                after = "&after=\(next)"
            }
            #expect(names.sorted() == (0..<5).map { "g\($0)" } && Set(names).count == 5)
            #expect(try await bob.get("invites").headers["waxwing-next"] == nil)
            for query in ["limit=0", "limit=x", "after=x", "after=1.x"] {
                #expect(try await bob.get("invites?\(query)").outcome == Outcome(400, -1), "\(query)")
            }
        }
    }

    /// As one could have in a database from before there were limits.
    @Test func aHundredThousandInvitesAndGroupsAreBorne() async throws {
        try await TestServer.run { server in
            let mallory = try await server.user("mallory")
            let victim = try await server.user("victim")
            try await server.server.store.write { transaction in
                for number in 0..<20_000 {
                    let group = try ID.random().blob
                    try transaction.execute(
                        """
                        INSERT INTO chat (id, name, alias, message_expiry, visibility, last_sequence, created_at)
                        VALUES (?, ?, '', -1, 1, 0, 0)
                        """, [group, "g\(number)"])
                    for user in [mallory, victim] {
                        try transaction.execute(
                            """
                            INSERT INTO member (group_id, user_id, role, joined_at, acknowledged, awaits_external_join)
                            VALUES (?, ?, 1, 0, 0, 0)
                            """, [group, user.id.blob])
                    }
                    try transaction.execute(
                        """
                        INSERT INTO invite
                            (id, group_id, inviter_id, invitee_id, commit_message, welcome, group_info, created_at)
                        VALUES (?, ?, ?, ?, x'01', x'01', x'01', ?)
                        """, [ID.random().blob, group, mallory.id.blob, victim.id.blob, server.clock.now])
                }
            }
            let page = try await victim.get("invites", WireListPendingInvitesResponse.self).invites
            #expect(page.count == ServerLimits.invitesPerPage)
            #expect(try await victim.groups().count == 20_000)

            // A dozen of these lists at once leave room for everybody else.
            let alice = try await server.user("alice")
            try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<12 {
                    tasks.addTask { "\(try await victim.get("groups").status)" }
                }
                tasks.addTask { "alice \(try await alice.get("me").status)" }
                var order: [String] = []
                for try await answer in tasks { order.append(answer) }
                #expect(order.count == 13 && order.last != "alice 200", "\(order)")
                #expect(order.prefix(6).contains("alice 200"), "\(order)")
            }
        }
    }

    /// The readers are not all taken by one user's long lists, and one user's come one after another.
    @Test func longReadsLeaveReadersForOthers() async throws {
        let reads = LongReads(atOnce: 2)
        let (alice, bob, carol) = (try ID.random(), try ID.random(), try ID.random())
        let (started, begin) = AsyncStream<String>.makeStream()
        let (gates, opens) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
        var order = started.makeAsyncIterator()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await reads.run(for: alice) {
                    begin.yield("alice 1")
                    for await _ in gates.stream { break }
                }
            }
            #expect(await order.next() == "alice 1")
            tasks.addTask {
                try await reads.run(for: alice) { _ = begin.yield("alice 2") }
            }
            tasks.addTask {
                try await reads.run(for: bob) {
                    begin.yield("bob")
                    for await _ in opens.stream { break }
                }
            }
            #expect(await order.next() == "bob", "the second of alice waits")
            tasks.addTask {
                try await reads.run(for: carol) { _ = begin.yield("carol") }
            }
            opens.continuation.yield()
            #expect(await order.next() == "carol")
            gates.continuation.yield()
            #expect(await order.next() == "alice 2")
            try await tasks.waitForAll()
        }
    }
}
