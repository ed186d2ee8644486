import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct GroupTests {
    private func creation(_ name: String, alias: String = "") -> WireCreateGroupRequest {
        .with {
            $0.groupName = name
            $0.alias = alias
        }
    }

    @Test func creatorIsSoleMemberAndAdmin() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            #expect(try await alice.post("groups", creation("zebra", alias: "Z")).outcome == Outcome(201))
            #expect(try await alice.post("groups", creation("ant")).outcome == Outcome(201))
            let groups = try await alice.groups()
            #expect(groups.map(\.groupName) == ["ant", "zebra"])
            #expect(groups[1].alias == "Z")
            #expect(groups[1].members.map(\.username) == ["alice"])
            #expect(groups[1].members.map(\.role) == [.admin])
            #expect(groups[1].messageExpirySeconds == -1)
            #expect(groups[1].visibility == .private)
            #expect(groups[1].mlsGroupID == "")

            #expect(try await alice.post("groups", creation("ant")).outcome == Outcome(409, 301))
            #expect(try await alice.post("groups", creation("no spaces")).outcome == Outcome(400, 101))
            #expect(try await alice.post("groups", creation("b", alias: "\n")).outcome == Outcome(400, 101))
            #expect(try await alice.send("POST", "groups", headers: [:], body: [0x0a, 9]).outcome == Outcome(400, 100))
        }
    }

    @Test func settingsChangeAndEverybodyHears() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            _ = try await server.group("taken", [alice])
            let update = WireUpdateGroupRequest.with {
                $0.groupName = "h"
                $0.alias = "H"
                $0.messageExpirySeconds = 60
                $0.updateMessageExpiry = true
                $0.visibility = .public
            }
            let events = try await server.events(for: [alice, bob]) {
                try await alice.patch("groups/\(group)", update).expect(Outcome(200))
            }
            #expect(events == [[.groupUpdate(of: group, .settings)], [.groupUpdate(of: group, .settings)]])

            // What is not named stays.
            let nothing = WireUpdateGroupRequest.with { $0.messageExpirySeconds = 5 }
            #expect(try await alice.patch("groups/\(group)", nothing).outcome == Outcome(200))
            let info = try await bob.groups()[0]
            #expect(info.groupName == "h" && info.alias == "H" && info.visibility == .public)
            #expect(info.messageExpirySeconds == 60)
            let policy = try await bob.get("groups/\(group)/retention", WireGetRetentionPolicyResponse.self)
            #expect(policy.groupExpirySeconds == 60 && policy.serverRetentionSeconds == -1)

            let refused: [(WireUpdateGroupRequest, Outcome)] = [
                (.with { $0.groupName = "-" }, Outcome(400, 101)),
                (.with { $0.groupName = "taken" }, Outcome(409, 301)),
                (.with { $0.alias = "\u{0}" }, Outcome(400, 101)),
                (.with { $0.visibility = .UNRECOGNIZED(9) }, Outcome(400, 101)),
                (
                    .with {
                        $0.messageExpirySeconds = -2
                        $0.updateMessageExpiry = true
                    }, Outcome(400, 101)
                ),
            ]
            for (request, expected) in refused {
                #expect(try await alice.patch("groups/\(group)", request).outcome == expected, "\(request)")
            }
            #expect(try await bob.patch("groups/\(group)", update).outcome == Outcome(401, 401))
        }
    }

    @Test func profileChangesReachEveryGroup() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let one = try await server.group("one", [alice, bob])
            let two = try await server.group("two", [alice, carol])
            let events = try await server.events(for: [alice, bob, carol]) {
                try await alice.patch("me", WireUpdateProfileRequest.with { $0.alias = "A" }).expect(Outcome(200))
            }
            #expect(Set(events[0].map { "\($0)" }).count == 2)
            #expect(events[1] == [.groupUpdate(of: one, .settings)])
            #expect(events[2] == [.groupUpdate(of: two, .settings)])
        }
    }

    @Test func deletingAGroupTellsFormerMembersAndInvited() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, bob])
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 1))
            #expect(try await bob.post("groups/\(group)/delete").outcome == Outcome(401, 401))
            let events = try await server.events(for: [alice, bob, carol]) {
                try await alice.post("groups/\(group)/delete").expect(Outcome(200))
            }
            #expect(events[0] == [.inviteDeclined(in: group, user: carol.id), .groupDeleted(group)])
            #expect(events[1] == [.groupDeleted(group)])
            #expect(events[2] == [.inviteCancelled(in: group)])
            #expect(try await bob.groups().isEmpty)
            #expect(try await bob.get("groups/\(group)/messages").outcome == Outcome(404, 300))
            #expect(try await server.group("g", [alice]) != group, "the name is free again")
        }
    }

    @Test func whoIsNoMemberOrNoAdminIsTurnedAway() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let eve = try await server.user("eve")
            let group = try await server.group("g", [alice, bob])
            let forMembers = [
                ("GET", "group-info"), ("GET", "retention"), ("GET", "messages"), ("GET", "admins"),
                ("POST", "messages"), ("POST", "commit"), ("POST", "external-join"), ("POST", "leave"),
            ]
            let forAdmins = [
                ("POST", "delete"), ("POST", "invite"), ("POST", "escrow-invite"), ("GET", "invites"),
                ("POST", "cancel-invite"), ("POST", "remove"), ("POST", "promote"), ("POST", "demote"),
                ("POST", "ban"), ("POST", "unban"), ("GET", "banned"),
            ]
            for (method, endpoint) in forMembers {
                let reply = try await eve.send(method, "groups/\(group)/\(endpoint)", headers: [:], body: [])
                #expect(reply.outcome == Outcome(401, 400), "\(endpoint)")
            }
            for (method, endpoint) in forAdmins {
                let reply = try await bob.send(method, "groups/\(group)/\(endpoint)", headers: [:], body: [])
                #expect(reply.outcome == Outcome(401, 401), "\(endpoint)")
            }
        }
    }

    @Test func publicGroupsAreFoundAndJoined() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("birds", [alice])
            _ = try await server.group("hidden_birds", [alice])
            #expect(try await bob.post("groups/\(group)/join").outcome == Outcome(403, 402))
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })

            func found(_ pattern: String) async throws -> [String] {
                try await bob.get("groups/public?pattern=\(pattern)", WireListPublicGroupsResponse.self).groups
                    .map { "\($0.groupName) \($0.memberCount)" }
            }
            #expect(try await found("ird") == ["birds 1"])
            #expect(try await found("") == ["birds 1"])
            #expect(try await found("%25") == [])
            #expect(try await found("x") == [])

            #expect(try await bob.post("groups/\(try ID.random())/join").outcome == Outcome(404, 300))
            #expect(try await bob.post("groups/\(group)/join").outcome == Outcome(400, 100), "no GroupInfo yet")
            #expect(try await alice.get("groups/\(group)/group-info").outcome == Outcome(404, 300))
            try await alice.commit([], info: "info 1", to: group).expect(Outcome(200))
            #expect(try await alice.storedInfo(group) == "info 1")

            let events = try await server.events(for: [alice, bob]) {
                let joined = try await bob.post("groups/\(group)/join")
                #expect(joined.outcome == Outcome(200))
                let given = try joined.message(WireGetGroupInfoResponse.self).groupInfo
                #expect(label(ofGroupInfo: given) == "info 1")
            }
            #expect(events == [[], []])
            #expect(try await bob.post("groups/\(group)/join").outcome == Outcome(409, 301), "a member already")

            let carol = try await server.user("carol")
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 0))
            #expect(try await carol.post("groups/\(group)/join").outcome == Outcome(409, 301), "invited already")
            let dave = try await server.user("dave")
            try await alice.post("groups/\(group)/ban", WireBanMemberRequest.with { $0.userID = dave.id.blob })
            #expect(try await dave.post("groups/\(group)/join").outcome == Outcome(403, 403))
        }
    }
}
