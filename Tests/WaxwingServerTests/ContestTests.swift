import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// Commits that name a counted one which their senders refuse.
@Suite struct ContestTests {
    /// A group whose next commit is of epoch 2, and whose counted commit of epoch 1 is junk.
    private func junkCounted(_ server: TestServer) async throws -> (alice: User, mallory: User, group: ID, junk: UInt64)
    {
        let (alice, mallory) = (try await server.user("alice"), try await server.user("mallory"))
        let group = try await server.group("g", [alice, mallory])
        try await mallory.commit(mlsMessage(epoch: 1, filler: "junk"), info: "junk", to: group).expect(Outcome(200))
        let junk = try await alice.log(group).last.required.sequenceNum
        return (alice, mallory, group, junk)
    }

    @Test func aContestIsAppendedAndLeavesTheCountWhereItIs() async throws {
        try await TestServer.run { server in
            let (alice, mallory, group, junk) = try await junkCounted(server)
            let honest = mlsMessage(epoch: 1, filler: "honest")
            #expect(try await alice.commit(honest, to: group).outcome == Outcome(409, 301))
            let events = try await server.events(for: [alice, mallory]) {
                let reply = try await alice.commit(honest, info: "unsure", to: group, contests: "7, \(junk)")
                #expect(reply.outcome == Outcome(200))
            }
            #expect(events == [[], [.groupUpdate(of: group, .commit)]])
            #expect(try await alice.log(group).last?.mlsMessage == Data(honest))
            #expect(try await alice.storedInfo(group) == "junk", "the server cannot tell which of the two lives")
            #expect(try await alice.commit(mlsMessage(epoch: 3), to: group).outcome == Outcome(409, 301))
            // The next epoch's commit needs no header, and is not contested more than any other.
            #expect(
                try await mallory.commit(mlsMessage(epoch: 2), to: group, contests: "\(junk)").outcome == Outcome(200))
            #expect(try await alice.commit(mlsMessage(epoch: 2), to: group).outcome == Outcome(409, 301))
        }
    }

    @Test func onlyTheCountedCommitOfTheSameEpochCanBeContested() async throws {
        try await TestServer.run { server in
            let (alice, mallory, group, junk) = try await junkCounted(server)
            let honest = mlsMessage(epoch: 1, filler: "honest")
            for rows in ["\(junk - 1)", "\(junk + 1)", "\(UInt64.max)", "0"] {
                #expect(
                    try await alice.commit(honest, to: group, contests: rows).outcome == Outcome(409, 301), "\(rows)")
            }
            for epoch: UInt64 in [0, 3, .max] {
                let reply = try await alice.commit(mlsMessage(epoch: epoch), to: group, contests: "\(junk)")
                #expect(reply.outcome == Outcome(409, 301), "epoch \(epoch)")
            }
            let tooMany = (0...ServerLimits.contestedRows).map { "\(UInt64($0) + junk)" }.joined(separator: ",")
            for rows in ["junk", "\(junk),", "-\(junk)", "\(junk);1", "18446744073709551616", "", tooMany] {
                #expect(
                    try await alice.commit(honest, to: group, contests: rows).outcome == Outcome(400, 100), "\(rows)")
            }
            let eve = try await server.user("eve")
            #expect(try await eve.commit(honest, to: group, contests: "\(junk)").outcome == Outcome(401, 400))
            #expect(try await alice.log(group).count == 2)

            // Everything that carries a commit may contest.
            let remove = WireRemoveMemberRequest.with {
                $0.userID = mallory.id.blob
                $0.commitMessage = Data(honest)
            }
            let reply = try await alice.send(
                "POST", "groups/\(group)/remove", headers: ["waxwing-contests": "\(junk)"],
                body: remove.serializedBytes())
            #expect(reply.outcome == Outcome(200))
            #expect(try await alice.groups()[0].members.count == 1)
        }
    }

    @Test func aMemberContestsSoOftenAndOthersStillCan() async throws {
        try await TestServer.run { server in
            let (alice, mallory, group, junk) = try await junkCounted(server)
            for number in 0..<ServerLimits.contestsPerMember {
                let more = mlsMessage(epoch: 1, filler: "more junk \(number)")
                try await mallory.commit(more, to: group, contests: "\(junk)").expect(Outcome(200))
            }
            let more = mlsMessage(epoch: 1, filler: "and more")
            #expect(try await mallory.commit(more, to: group, contests: "\(junk)").outcome == Outcome(409, 301))
            #expect(try await alice.commit(more, to: group, contests: "\(junk)").outcome == Outcome(200))
        }
    }

    /// Those who have not seen it could not tell that it was there.
    @Test func aCommitThatIsGoneCannotBeContested() async throws {
        try await TestServer.run { server in
            let (alice, _, group, junk) = try await junkCounted(server)
            let update = WireUpdateGroupRequest.with {
                $0.messageExpirySeconds = 10
                $0.updateMessageExpiry = true
            }
            try await alice.patch("groups/\(group)", update).expect(Outcome(200))
            let early = mlsMessage(epoch: 1, filler: "early")
            try await alice.commit(early, to: group, contests: "\(junk)").expect(Outcome(200))
            server.clock.advance(10)
            try await Housekeeping(store: server.server.store).sweep()
            let late = mlsMessage(epoch: 1, filler: "late")
            #expect(try await alice.commit(late, to: group, contests: "\(junk)").outcome == Outcome(409, 301))
            // What is remembered of contests goes with the commit they are about.
            for epoch: UInt64 in 2...4 {
                try await alice.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
            server.clock.advance(10)
            try await Housekeeping(store: server.server.store).sweep()
            let left = try await server.server.store.read { try $0.rows("SELECT 1 FROM contest").count }
            #expect(left == 0)
        }
    }
}
