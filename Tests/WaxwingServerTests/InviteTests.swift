import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct InviteTests {
    private func request(_ users: [ID]) -> WireInviteToGroupRequest { .with { $0.userIds = users.map(\.blob) } }

    @Test func invitingTakesOneKeyPackageEach() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice])
            let path = "groups/\(group)/invite"
            for user in [bob, carol] {
                try await user.post(
                    "key-packages",
                    WireUploadKeyPackageRequest.with { $0.keyPackageData = Data([0, 1, 0, 5] + user.id.bytes) })
            }
            let reply = try await alice.post(path, request([bob.id, alice.id, carol.id, bob.id]))
            let taken = try reply.message(WireInviteToGroupResponse.self).memberKeyPackages
            #expect(taken.map(\.userID) == [bob.id.blob, carol.id.blob])
            #expect(taken.map(\.keyPackageData) == [bob, carol].map { Data([0, 1, 0, 5] + $0.id.bytes) })

            #expect(try await alice.post(path, request([bob.id])).outcome == Outcome(404, 300), "none is left")
            #expect(try await alice.post(path, request([.random()])).outcome == Outcome(404, 300))
            #expect(try await alice.post(path, request([])).outcome == Outcome(400, 100))
            let short = WireInviteToGroupRequest.with { $0.userIds = [Data([1, 2])] }
            #expect(try await alice.post(path, short).outcome == Outcome(400, 100))
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 0))
            #expect(try await alice.post(path, request([bob.id])).outcome == Outcome(409, 301), "invited already")
            try await bob.accept(group)
            #expect(try await alice.post(path, request([bob.id])).outcome == Outcome(409, 301), "a member already")
        }
    }

    @Test func aRefusedInviteTakesNoKeyPackage() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice])
            try await bob.post(
                "key-packages", WireUploadKeyPackageRequest.with { $0.keyPackageData = Data([0, 1, 0, 5]) })
            let both = try await alice.post("groups/\(group)/invite", request([bob.id, carol.id]))
            #expect(both.outcome == Outcome(404, 300))
            #expect(try await alice.get("key-packages/\(bob.id)").outcome == Outcome(200))
        }
    }

    @Test func acceptingDoesEverythingAtOnce() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, carol])
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.alias = "G" })
            let commit = mlsMessage(epoch: 1)
            var events = try await server.events(for: [alice, bob, carol]) {
                try await alice.invite(bob, to: group, commit: commit)
            }
            let pending = try await bob.get("invites", WireListPendingInvitesResponse.self).invites
            let expected = WirePendingInvite.with {
                $0.inviteID = pending[0].inviteID
                $0.groupID = group.blob
                $0.groupName = "g"
                $0.groupAlias = "G"
                $0.inviterUsername = "alice"
                $0.createdAt = UInt64(server.clock.now)
                $0.inviteeID = bob.id.blob
                $0.inviterID = alice.id.blob
            }
            #expect(pending == [expected])
            let listed = try await alice.get("groups/\(group)/invites", WireListGroupPendingInvitesResponse.self)
            #expect(listed.invites == [expected])
            let received = WireInviteReceivedEvent.with {
                $0.inviteID = pending[0].inviteID
                $0.groupID = group.blob
                $0.groupName = "g"
                $0.groupAlias = "G"
                $0.inviterID = alice.id.blob
            }
            #expect(events == [[], [.inviteReceived(received)], []])
            let invite = try await bob.pendingInvite(group)
            #expect(try await carol.post("invites/\(invite)/accept").outcome == Outcome(401, 400), "not hers")

            events = try await server.events(for: [alice, bob, carol]) {
                try await bob.post("invites/\(invite)/accept").expect(Outcome(200))
            }
            let update = ServerEvent.groupUpdate(of: group, .commit)
            #expect(events == [[update], [.welcome(to: group, alias: "G")], [update]])
            #expect(try await bob.post("invites/\(invite)/accept").outcome == Outcome(404, 300), "the second time")
            #expect(try await bob.groups()[0].members.map(\.username) == ["alice", "bob", "carol"])
            let row = try await bob.log(group).last.required
            #expect(row.senderID == alice.id.blob && row.mlsMessage == Data(commit) && row.sequenceNum == 2)
            #expect(try await bob.storedInfo(group) == "info of bob's commit")

            let welcomes = try await bob.get("welcomes", WireListPendingWelcomesResponse.self).welcomes
            #expect(welcomes.map(\.groupID) == [group.blob] && welcomes[0].groupAlias == "G")
            #expect(welcomes[0].welcomeMessage == Data("welcome".utf8))
            let welcome = try ID(welcomes[0].welcomeID).required
            #expect(try await alice.post("welcomes/\(welcome)/accept").outcome == Outcome(404, 300), "not hers")
            #expect(try await bob.post("welcomes/\(welcome)/accept").outcome == Outcome(204))
            #expect(try await bob.post("welcomes/\(welcome)/accept").outcome == Outcome(404, 300), "the second time")
        }
    }

    @Test func escrowWantsAllFourFieldsAndAFreeInvitee() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            let whole = WireEscrowInviteRequest.with {
                $0.inviteeID = bob.id.blob
                $0.commitMessage = Data(mlsMessage(epoch: 0))
                $0.welcomeMessage = Data([1])
                $0.groupInfo = Data(groupInfo(epoch: 1))
            }
            let lacking: [WritableKeyPath<WireEscrowInviteRequest, Data> & Sendable] = [
                \.inviteeID, \.commitMessage, \.welcomeMessage, \.groupInfo,
            ]
            for field in lacking {
                var request = whole
                request[keyPath: field] = Data()
                #expect(try await alice.post("groups/\(group)/escrow-invite", request).outcome == Outcome(400, 100))
            }
            var stranger = whole
            stranger.inviteeID = try ID.random().blob
            #expect(try await alice.post("groups/\(group)/escrow-invite", stranger).outcome == Outcome(404, 300))
            #expect(try await alice.post("groups/\(group)/escrow-invite", whole).outcome == Outcome(200))
            #expect(try await alice.post("groups/\(group)/escrow-invite", whole).outcome == Outcome(409, 301))
            try await bob.accept(group)
            #expect(try await alice.post("groups/\(group)/escrow-invite", whole).outcome == Outcome(409, 301))
            let eve = try await server.user("eve")
            try await alice.post("groups/\(group)/ban", WireBanMemberRequest.with { $0.userID = eve.id.blob })
            #expect(try await alice.escrow(eve, to: group, commit: mlsMessage(epoch: 1)).outcome == Outcome(403, 403))
        }
    }

    @Test func decliningCancellingAndExpiringTellTheOtherSide() async throws {
        try await TestServer.run {
            $0.inviteTTL = 100
        } _: { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            let declined = ServerEvent.inviteDeclined(in: group, user: bob.id)
            let cancelled = ServerEvent.inviteCancelled(in: group)
            let commit = mlsMessage(epoch: 0)
            let cancel = WireCancelInviteRequest.with { $0.inviteeID = bob.id.blob }

            try await alice.invite(bob, to: group, commit: commit)
            let invite = try await bob.pendingInvite(group)
            #expect(try await alice.post("invites/\(invite)/decline").outcome == Outcome(401, 400))
            var events = try await server.events(for: [alice, bob]) {
                try await bob.post("invites/\(invite)/decline").expect(Outcome(200))
            }
            #expect(events == [[declined], []])
            #expect(try await bob.post("invites/\(invite)/decline").outcome == Outcome(404, 300))
            #expect(try await alice.post("groups/\(group)/cancel-invite", cancel).outcome == Outcome(404, 300))

            try await alice.invite(bob, to: group, commit: commit)
            events = try await server.events(for: [alice, bob]) {
                try await alice.post("groups/\(group)/cancel-invite", cancel).expect(Outcome(200))
            }
            #expect(events == [[declined], [cancelled]])

            try await alice.invite(bob, to: group, commit: commit)
            events = try await server.events(for: [alice, bob]) {
                server.clock.advance(99)
                try await Housekeeping(store: server.server.store).sweep()
            }
            #expect(events == [[], []])
            events = try await server.events(for: [alice, bob]) {
                server.clock.advance(1)
                try await Housekeeping(store: server.server.store).sweep()
            }
            #expect(events == [[declined], [cancelled]])

            try await alice.invite(bob, to: group, commit: commit)
            events = try await server.events(for: [alice, bob]) {
                let ban = WireBanMemberRequest.with { $0.userID = bob.id.blob }
                try await alice.post("groups/\(group)/ban", ban).expect(Outcome(200))
            }
            #expect(events == [[declined], [cancelled]])
            #expect(try await bob.get("invites", WireListPendingInvitesResponse.self).invites.isEmpty)
        }
    }
}
