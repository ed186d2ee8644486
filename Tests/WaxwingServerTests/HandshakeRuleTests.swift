import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// What the bytes of a handshake say about who may send it: the same under both orderings.
@Suite struct HandshakeRuleTests {
    private static let orderings: [ServerConfiguration.Ordering] = [.strict, .open]

    /// A group of Alice, who is its admin, and Bob, in epoch 1.
    private func run(
        _ ordering: ServerConfiguration.Ordering,
        _ body: (TestServer, _ alice: User, _ bob: User, ID) async throws -> Void
    ) async throws {
        try await TestServer.run {
            $0.ordering = ordering
        } _: { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            try await body(server, alice, bob, server.group("g", [alice, bob]))
        }
    }

    /// - Parameter type: 3 for a commit, 2 for a proposal, 1 for application data.
    private func privateMessage(_ type: UInt8) -> [UInt8] {
        [0, 1, 0, 2, 2, 0xab, 0xcd, 0, 0, 0, 0, 0, 0, 0, 1, type, 0, 1, 1, 1, 2]
    }

    @Test(arguments: orderings)
    func whoComesInFromOutsideComesInAsThemselves(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { _, alice, bob, group in
            let certificate: [UInt8] = [0, 2, 17, 16] + alice.id.bytes
            let refused: [(String, [UInt8])] = [
                ("somebody else's", externalCommit(epoch: 1, by: bob.id)),
                (
                    "an id that goes on",
                    externalCommit(epoch: 1, by: alice.id, credential: [0, 1, 17] + alice.id.bytes + [0])
                ),
                (
                    "an id cut short",
                    externalCommit(epoch: 1, by: alice.id, credential: [0, 1, 15] + alice.id.bytes.dropLast())
                ),
                ("no id", externalCommit(epoch: 1, by: alice.id, credential: [0, 1, 0])),
                (
                    "another credential",
                    externalCommit(epoch: 1, by: alice.id, credential: [0, 3, 16] + alice.id.bytes)
                ),
                ("a certificate", externalCommit(epoch: 1, by: alice.id, credential: certificate)),
                ("a member's", mlsMessage(epoch: 1)),
                ("no path", memberCommit(epoch: 1, of: [Proposal.externalInit], sender: [4])),
                ("no commit", publicMessage(epoch: 1, sender: [4], contentType: 2, body: Proposal.add)),
                ("sealed", privateMessage(3)),
                ("no MLS message", Array("commit".utf8)),
                ("cut short", externalCommit(epoch: 1, by: alice.id).dropLast()),
                ("two ways in", externalCommit(epoch: 1, by: alice.id, proposals: [Proposal.externalInit])),
                (
                    "two leaves out",
                    externalCommit(epoch: 1, by: alice.id, proposals: [Proposal.remove(0), Proposal.remove(1)])
                ),
                ("others brought along", externalCommit(epoch: 1, by: alice.id, proposals: [Proposal.add])),
                (
                    "another context",
                    externalCommit(epoch: 1, by: alice.id, proposals: [Proposal.groupContextExtensions])
                ),
                ("a PSK", externalCommit(epoch: 1, by: alice.id, proposals: [Proposal.preSharedKey])),
            ]
            for (what, commit) in refused {
                #expect(try await alice.externalJoin(commit, group).outcome == Outcome(400, 100), "\(what)")
            }
            #expect(try await alice.log(group).count == 1)
            try await alice.externalJoin(epoch: 1, group).expect(Outcome(200))
            let replacing = externalCommit(epoch: 2, by: bob.id, proposals: [Proposal.remove(1)])
            try await bob.externalJoin(replacing, group).expect(Outcome(200))
            #expect(try await alice.log(group).last?.mlsMessage == Data(replacing))
        }
    }

    @Test(arguments: orderings)
    func nothingButExternalJoinTakesCommitsFromOutside(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { server, alice, bob, group in
            let carol = try await server.user("carol")
            for commit in [
                externalCommit(epoch: 1, by: alice.id), memberCommit(epoch: 1, of: [], sender: [2, 0, 0, 0, 0]),
            ] {
                #expect(try await alice.commit(commit, to: group).outcome == Outcome(400, 100))
                #expect(try await alice.escrow(carol, to: group, commit: commit).outcome == Outcome(400, 100))
                let leave = WireLeaveGroupRequest.with { $0.commitMessage = Data(commit) }
                #expect(try await alice.post("groups/\(group)/leave", leave).outcome == Outcome(400, 100))
                for way in ["remove", "ban"] {
                    let remove = WireRemoveMemberRequest.with {
                        $0.userID = bob.id.blob
                        $0.commitMessage = Data(commit)
                    }
                    #expect(try await alice.post("groups/\(group)/\(way)", remove).outcome == Outcome(400, 100))
                }
            }
            #expect(try await alice.groups()[0].members.count == 2)
            #expect(try await alice.log(group).count == 1)
        }
    }

    @Test(arguments: orderings)
    func membersCommitWhatIsTheirsAndAdminsMore(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { _, alice, bob, group in
            let admins = [[Proposal.add], [Proposal.groupContextExtensions], [Proposal.remove(0), Proposal.add]]
            for (epoch, proposals) in zip(UInt64(1)..., admins) {
                let commit = memberCommit(epoch: epoch, of: proposals)
                #expect(try await bob.commit(commit, to: group).outcome == Outcome(401, 401), "\(proposals)")
                #expect(try await alice.commit(commit, to: group).outcome == Outcome(200), "\(proposals)")
            }
            let epoch: UInt64 = 4
            let nobodys = [
                Proposal.update, Proposal.preSharedKey, Proposal.reInit, Proposal.externalInit, Proposal.unknown,
            ]
            for user in [alice, bob] {
                for proposals in nobodys.flatMap({ [[$0], [Proposal.remove(1), $0]] }) {
                    let commit = memberCommit(epoch: epoch, of: proposals)
                    #expect(try await user.commit(commit, to: group).outcome == Outcome(400, 100), "\(proposals)")
                }
                #expect(try await user.commit(privateMessage(3), to: group).outcome == Outcome(400, 100))
                #expect(
                    try await user.commit(mlsMessage(epoch: epoch).dropLast(), to: group).outcome == Outcome(400, 100))
                for count in [0, ServerLimits.confirmationTagBytes.upperBound + 1] {
                    let tag = [UInt8](repeating: 1, count: count)
                    let odd = publicMessage(epoch: epoch, contentType: 3, body: [0, 0], tag: tag)
                    #expect(try await user.commit(odd, to: group).outcome == Outcome(400, 100), "\(count) bytes")
                }
            }
            // Only those who have the tree can tell whom it removes, and so to what it refers.
            let removes = memberCommit(epoch: epoch, of: [Proposal.remove(5), Proposal.remove(6)])
            try await bob.commit(removes, to: group).expect(Outcome(200))
            let reference = publicMessage(epoch: epoch + 1, contentType: 3, body: [5, 2, 3, 1, 2, 3, 0])
            try await bob.commit(reference, to: group).expect(Outcome(200))
            #expect(try await alice.log(group).count == 6)
        }
    }

    @Test(arguments: orderings)
    func amongMessagesThereAreNoCommitsAndFewProposals(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { _, alice, bob, group in
            func proposal(_ body: [UInt8], sender: [UInt8] = [1, 0, 0, 0, 0]) -> [UInt8] {
                publicMessage(epoch: 1, sender: sender, contentType: 2, body: body)
            }
            let everyones = [
                proposal(Proposal.update), proposal(Proposal.remove(0)), mlsMessage(epoch: 9, contentType: 1),
                privateMessage(1), Array("no MLS message".utf8), groupInfo(epoch: 1),
            ]
            let admins = [
                proposal(Proposal.remove(1)), proposal(Proposal.remove(0), sender: [1, 0, 0, 0, 1]),
                proposal(Proposal.add),
                proposal(Proposal.groupContextExtensions),
            ]
            let nobodys = [
                mlsMessage(epoch: 1), mlsMessage(epoch: 1).dropLast(), externalCommit(epoch: 1, by: bob.id),
                privateMessage(2),
                privateMessage(3), proposal(Proposal.preSharedKey), proposal(Proposal.reInit),
                proposal(Proposal.externalInit), proposal(Proposal.unknown), proposal(Proposal.update) + [0],
                proposal(Proposal.update).dropLast(), proposal(Proposal.add, sender: [3]),
                proposal(Proposal.remove(0), sender: [2, 0, 0, 0, 0]), proposal(Proposal.externalInit, sender: [4]),
            ]
            for message in everyones + admins { try await alice.message(message, to: group).expect(Outcome(200)) }
            for message in everyones { try await bob.message(message, to: group).expect(Outcome(200)) }
            for message in admins {
                #expect(try await bob.message(message, to: group).outcome == Outcome(401, 401), "\(message)")
            }
            for message in nobodys {
                #expect(try await bob.message(message, to: group).outcome == Outcome(400, 100), "\(message)")
                #expect(try await alice.message(message, to: group).outcome == Outcome(400, 100), "\(message)")
            }
            #expect(try await alice.log(group).count == 1 + 2 * everyones.count + admins.count)
        }
    }
}
