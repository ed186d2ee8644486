import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct OrderingTests {
    @Test func strictTakesOneCommitForEachEpoch() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            #expect(try await alice.commit(mlsMessage(epoch: 1), info: "1", to: group).outcome == Outcome(200))
            let events = try await server.events(for: [alice, bob]) {
                for epoch: UInt64 in [0, 1, 3, .max] {
                    // There is no epoch after the last one, and so no GroupInfo of it.
                    let info = epoch < .max ? "late" : ""
                    let late = try await bob.commit(mlsMessage(epoch: epoch, filler: "late"), info: info, to: group)
                    #expect(late.outcome == Outcome(409, 301), "epoch \(epoch)")
                }
            }
            #expect(events == [[], []])
            #expect(try await alice.storedInfo(group) == "1")
            #expect(try await alice.log(group).count == 2)
            #expect(try await bob.commit(mlsMessage(epoch: 2), to: group).outcome == Outcome(200))
            #expect(try await alice.storedInfo(group) == "1", "a commit without a GroupInfo leaves the old one")
        }
    }

    @Test func theFirstCommitMayBeOfAnyEpochAndTheLastEpochHasNoNext() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: .max - 1))
            try await bob.accept(group)
            #expect(try await alice.commit(mlsMessage(epoch: .max), to: group).outcome == Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 0), to: group).outcome == Outcome(409, 301))
        }
    }

    @Test func strictRefusesWhatIsNoCommitOfTheGroup() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            let refused = [
                Array("commit".utf8),
                mlsMessage(epoch: 0, contentType: 1),
                mlsMessage(epoch: 0, contentType: 2),
                mlsMessage(epoch: 0, group: [0xff]),
            ]
            try await alice.commit([], info: "x", mlsGroupID: "abcd", to: group).expect(Outcome(200))
            for commit in refused {
                #expect(try await alice.commit(commit, to: group).outcome == Outcome(400, 100), "\(commit)")
                #expect(try await alice.escrow(bob, to: group, commit: commit).outcome == Outcome(400, 100))
                let leave = WireLeaveGroupRequest.with { $0.commitMessage = Data(commit) }
                #expect(try await alice.post("groups/\(group)/leave", leave).outcome == Outcome(400, 100))
            }
            #expect(try await alice.log(group).isEmpty)
            #expect(try await alice.commit(mlsMessage(epoch: 0), to: group).outcome == Outcome(200))
        }
    }

    @Test func aRefusedFirstCommitDoesNotNameTheGroup() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let reply = try await alice.commit(mlsMessage(epoch: 0), mlsGroupID: "ff", to: group)
            #expect(reply.outcome == Outcome(400, 100))
            #expect(try await alice.groups()[0].mlsGroupID == "")
        }
    }

    @Test func everyCommitFieldIsHeldToTheEpoch() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            try await alice.commit(mlsMessage(epoch: 1), info: "1", to: group).expect(Outcome(200))
            let stale = Data(mlsMessage(epoch: 1, filler: "stale"))
            let remove = WireRemoveMemberRequest.with {
                $0.userID = bob.id.blob
                $0.commitMessage = stale
                $0.groupInfo = Data(groupInfo(after: Array(stale)))
            }
            #expect(try await alice.post("groups/\(group)/remove", remove).outcome == Outcome(409, 301))
            #expect(try await alice.post("groups/\(group)/ban", remove).outcome == Outcome(409, 301))
            let leave = WireLeaveGroupRequest.with { $0.commitMessage = stale }
            #expect(try await bob.post("groups/\(group)/leave", leave).outcome == Outcome(409, 301))
            #expect(try await bob.externalJoin(epoch: 1, group).outcome == Outcome(409, 301))
            #expect(try await bob.groups()[0].members.count == 2)
            #expect(try await bob.storedInfo(group) == "1")
            #expect(try await bob.log(group).count == 2)
            // A message is accepted in any epoch.
            let late = WireSendMessageRequest.with { $0.mlsMessage = Data(mlsMessage(epoch: 0, contentType: 1)) }
            #expect(try await bob.post("groups/\(group)/messages", late).outcome == Outcome(200))
        }
    }

    /// They are members by the inviter's word, and join by a commit of their own: the one in escrow is dead, and so is
    /// its Welcome.
    @Test func whoAcceptsAStaleInviteIsLetInAllTheSame() async throws {
        try await TestServer.run { server in
            let users = try await ["alice", "bob", "carol", "dave"].asyncMap { try await server.user($0) }
            let (alice, bob, carol, dave) = (users[0], users[1], users[2], users[3])
            let group = try await server.group("g", [alice, bob])
            for user in [carol, dave] {
                try await alice.invite(user, to: group, commit: mlsMessage(epoch: 1, filler: user.name))
            }
            try await alice.commit(mlsMessage(epoch: 1, filler: "rotation"), info: "living", to: group)
                .expect(Outcome(200))

            for (number, user) in [carol, dave].enumerated() {
                let events = try await server.events(for: [alice, bob, user]) { try await user.accept(group) }
                let update = ServerEvent.groupUpdate(of: group, .commit)
                #expect(events == [[update], [update], []])
                #expect(try await user.groups()[0].members.count == 3 + number)
                #expect(try await user.get("invites", WireListPendingInvitesResponse.self).invites.isEmpty)
                #expect(try await user.get("welcomes", WireListPendingWelcomesResponse.self).welcomes.isEmpty)
                #expect(try await user.storedInfo(group) == "living")
                let row = try await user.log(group).last.required
                #expect(
                    row.mlsMessage == Data(mlsMessage(epoch: 1, filler: user.name)) && row.senderID == alice.id.blob)
            }
            // The count is what it was.
            #expect(try await bob.commit(mlsMessage(epoch: 3), to: group).outcome == Outcome(409, 301))
            let events = try await server.events(for: [alice, carol]) {
                try await carol.externalJoin(epoch: 2, group).expect(Outcome(200))
            }
            let update = ServerEvent.groupUpdate(of: group, .commit)
            #expect(events == [[update], [update]], "a newcomer, not one who lost their keys")
        }
    }

    /// Like a client that applies its commits before they are in the log: it invites, the invite is declined, and it
    /// goes on from there.
    @Test func whoIsAloneTakesTheGroupAnywhere() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            try await alice.commit(mlsMessage(epoch: 0), to: group).expect(Outcome(200))
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 1))
            try await bob.post("invites/\(bob.pendingInvite(group))/decline").expect(Outcome(200))
            try await alice.commit(mlsMessage(epoch: 2), info: "ahead", to: group).expect(Outcome(200))
            #expect(try await alice.storedInfo(group) == "ahead")

            // Someone who has joined only by name, and has no leaf, need not follow.
            let dave = try await server.user("dave")
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })
            try await dave.post("groups/\(group)/join").expect(Outcome(200))
            try await alice.commit(mlsMessage(epoch: 7), to: group).expect(Outcome(200))

            // Her invites that build on each other may be accepted in any order.
            let carol = try await server.user("carol")
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 8))
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 9))
            try await carol.accept(group)
            #expect(try await carol.storedInfo(group) == "info of carol's commit")
            try await bob.accept(group)
            #expect(try await bob.storedInfo(group) == "info of carol's commit")
            for user in [bob, carol] {
                let welcomes = try await user.get("welcomes", WireListPendingWelcomesResponse.self).welcomes
                #expect(welcomes.count == 1, "\(user.name): their way in is part of the living branch")
            }
            // No longer alone.
            for epoch: UInt64 in [8, 9, 11] {
                #expect(try await alice.commit(mlsMessage(epoch: epoch), to: group).outcome == Outcome(409, 301))
            }
            #expect(try await alice.commit(mlsMessage(epoch: 10), to: group).outcome == Outcome(200))
        }
    }

    @Test func ofRacingCommitsExactlyOneWins() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            for epoch in UInt64(1)...5 {
                let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { tasks in
                    for racer in 0..<8 {
                        tasks.addTask {
                            let user = racer % 2 == 0 ? alice : bob
                            let commit = mlsMessage(epoch: epoch, filler: "\(racer)")
                            return try await user.commit(commit, to: group).outcome
                        }
                    }
                    return try await tasks.reduce(into: []) { $0.append($1) }
                }
                #expect(outcomes.filter { $0 == Outcome(200) }.count == 1)
                #expect(outcomes.filter { $0 == Outcome(409, 301) }.count == 7)
            }
            #expect(try await alice.log(group).count == 6)
        }
    }

    @Test func openTakesEverythingInOrderOfArrival() async throws {
        try await TestServer.run {
            $0.ordering = .open
        } _: { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            for (text, epoch) in [("a", UInt64(4)), ("b", 4), ("c", 1)] {
                let reply = try await bob.commit(mlsMessage(epoch: epoch, filler: text), info: text, to: group)
                #expect(reply.outcome == Outcome(200))
            }
            #expect(try await bob.commit(Array("no MLS".utf8), to: group).outcome == Outcome(200))
            #expect(try await alice.log(group).map(\.sequenceNum) == [1, 2, 3, 4, 5])
            #expect(try await alice.storedInfo(group) == "c")
        }
    }

    @Test func aGroupFromOpenTimesGoesOnStrictly() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var group = try ID.random()
        var token = ""
        try await TestServer.run(directory: directory) {
            $0.ordering = .open
        } _: { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            token = alice.token
            group = try await server.group("g", [alice])
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 6))
            try await bob.accept(group)
            for epoch: UInt64 in [6, 2, 8, .max] {
                try await alice.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
        }
        try await TestServer.run(directory: directory) { server in
            let alice = User(name: "alice", id: try .random(), token: token, port: server.port)
            #expect(try await alice.commit(mlsMessage(epoch: 6), to: group).outcome == Outcome(409, 301))
            #expect(try await alice.commit(mlsMessage(epoch: 7), to: group).outcome == Outcome(200))
        }
    }

    @Test func aFreshGroupInfoLeadsBackFromJunk() async throws {
        try await TestServer.run { server in
            let (alice, mallory) = (try await server.user("alice"), try await server.user("mallory"))
            let eve = try await server.user("eve")
            let group = try await server.group("g", [alice, mallory])
            try await alice.commit(mlsMessage(epoch: 1), mlsGroupID: "abcd", to: group).expect(Outcome(200))
            for epoch: UInt64 in 2...4 {
                try await mallory.commit(mlsMessage(epoch: epoch, filler: "junk"), to: group).expect(Outcome(200))
            }
            let commit = mlsMessage(epoch: 2)
            #expect(try await alice.commit(commit, to: group).outcome == Outcome(409, 301))

            #expect(try await eve.refresh(groupInfo(epoch: 2), of: group).outcome == Outcome(401, 400))
            for junk in [
                groupInfo(epoch: 2, group: [0xff]), Array("no GroupInfo".utf8), groupInfo(epoch: 2).dropLast(),
            ] {
                #expect(try await alice.refresh(junk, of: group).outcome == Outcome(400, 100))
            }
            #expect(try await alice.commit(commit, to: group).outcome == Outcome(409, 301), "none of them counts")

            try await alice.refresh(groupInfo(epoch: 2), of: group).expect(Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 3), to: group).outcome == Outcome(409, 301))
            #expect(try await alice.commit(commit, to: group).outcome == Outcome(200))
            #expect(try await alice.commit(commit, to: group).outcome == Outcome(409, 301), "and strictness goes on")
            #expect(try await alice.commit(mlsMessage(epoch: 3), to: group).outcome == Outcome(200))
        }
    }

    /// Each of them is of a commit that was accepted, so it is a true one; and the group goes on where it is.
    @Test func whoeverPutsOldGroupInfosThereStopsNobody() async throws {
        try await TestServer.run { server in
            let (alice, mallory) = (try await server.user("alice"), try await server.user("mallory"))
            let group = try await server.group("g", [alice, mallory])
            for epoch: UInt64 in 1...9 {
                try await alice.commit(mlsMessage(epoch: epoch), info: "living", to: group).expect(Outcome(200))
                for old in [1, epoch, epoch + 1] {
                    try await mallory.refresh(groupInfo(epoch: old, "old"), of: group).expect(Outcome(200))
                }
                try await mallory.refresh(groupInfo(epoch: max(1, epoch / 2), "old"), of: group).expect(Outcome(200))
            }
            #expect(try await alice.commit(mlsMessage(epoch: 11), to: group).outcome == Outcome(409, 301))
            // A dead commit of long ago does not change what comes next.
            try await mallory.commit(mlsMessage(epoch: 4, filler: "dead"), to: group).expect(Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 10), to: group).outcome == Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 5), to: group).outcome == Outcome(409, 301))
        }
    }

    private func expire(after seconds: Int64, _ group: ID, _ admin: User) async throws {
        let update = WireUpdateGroupRequest.with {
            $0.messageExpirySeconds = seconds
            $0.updateMessageExpiry = true
        }
        try await admin.patch("groups/\(group)", update).expect(Outcome(200))
    }

    /// Someone who missed a commit that is gone must not reopen its epoch: no one could tell them that it is over.
    @Test func nobodyGoesBackBehindACommitThatIsGone() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            try await expire(after: 10, group, alice)
            try await bob.commit(mlsMessage(epoch: 1), mlsGroupID: "abcd", to: group).expect(Outcome(200))
            for epoch: UInt64 in 2...3 {
                try await bob.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
            server.clock.advance(10)
            try await Housekeeping(store: server.server.store).sweep()
            try await bob.refresh(groupInfo(epoch: 4), of: group).expect(Outcome(200))
            let living = try await alice.storedInfo(group)
            for epoch: UInt64 in 0...3 {
                #expect(try await alice.refresh(groupInfo(epoch: epoch), of: group).outcome == Outcome(409, 301))
                #expect(try await alice.commit(mlsMessage(epoch: epoch), to: group).outcome == Outcome(409, 301))
            }
            #expect(try await alice.storedInfo(group) == living)

            // It is still possible to go back past a commit that is there for all to see, and past junk.
            for epoch: UInt64 in 4...6 {
                try await bob.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
            #expect(try await alice.refresh(groupInfo(epoch: 3), of: group).outcome == Outcome(409, 301))
            #expect(try await alice.refresh(groupInfo(epoch: 4), of: group).outcome == Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 4), to: group).outcome == Outcome(200))
            server.clock.advance(10)
            try await Housekeeping(store: server.server.store).sweep()
            // The junk of epochs 5 and 6 was undone before it went: it is in no one's way.
            try await alice.commit(mlsMessage(epoch: 5), to: group).expect(Outcome(200))
            #expect(try await alice.refresh(groupInfo(epoch: 5), of: group).outcome == Outcome(200))
            #expect(try await alice.refresh(groupInfo(epoch: 4), of: group).outcome == Outcome(409, 301))
        }
    }

    /// Rows that are gone because everyone has them have been missed by no one.
    @Test func whatEveryoneFetchedMayBeGoneBackBehind() async throws {
        try await TestServer.run { server in
            let (alice, mallory) = (try await server.user("alice"), try await server.user("mallory"))
            let group = try await server.group("g", [alice, mallory])
            try await expire(after: 0, group, alice)
            try await alice.commit(mlsMessage(epoch: 1), mlsGroupID: "abcd", to: group).expect(Outcome(200))
            try await mallory.commit(mlsMessage(epoch: 2, filler: "junk"), to: group).expect(Outcome(200))
            let last = try #require(try await alice.log(group).last?.sequenceNum)
            for user in [alice, mallory] { _ = try await user.log(group, query: "?after=\(last)") }
            #expect(try await alice.log(group).isEmpty)
            #expect(try await alice.refresh(groupInfo(epoch: 2), of: group).outcome == Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 2), to: group).outcome == Outcome(200))
        }
    }

    @Test func whatIsRememberedOfCommitsThatAreGoneDoesNotGrow() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            try await expire(after: 10, group, alice)
            for epoch: UInt64 in 1...20 {
                try await alice.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
                if epoch % 5 == 0 { server.clock.advance(6) }
                try await Housekeeping(store: server.server.store).sweep()
            }
            let kept = try await server.server.store.read { try $0.rows("SELECT 1 FROM taken_commit").count }
            #expect(kept <= 11, "those in the log, and the last that is gone")
            #expect(try await alice.refresh(groupInfo(epoch: 1), of: group).outcome == Outcome(409, 301))
        }
    }
}
