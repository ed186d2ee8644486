import ConclaveProtocol
import Foundation
import GRDB
import Testing

@testable import WaxwingServer

/// Which GroupInfos the server accepts: those of states to which a commit of the log led.
@Suite struct GroupInfoTests {
    private static let orderings: [ServerConfiguration.Ordering] = [.strict, .open]

    /// A group of Alice, who is its admin, and others who are not.
    private func run(
        _ ordering: ServerConfiguration.Ordering = .strict, members: [String] = ["bob", "mallory"],
        _ body: (TestServer, [User], ID) async throws -> Void
    ) async throws {
        try await TestServer.run {
            $0.ordering = ordering
        } _: { server in
            let users = try await (["alice"] + members).asyncMap { try await server.user($0) }
            try await body(server, users, server.group("g", users))
        }
    }

    private func made(_ epoch: UInt64, tag: String = "made up") -> [UInt8] {
        groupInfo(epoch: epoch, tag: Array(tag.utf8), "junk")
    }

    @Test(arguments: orderings)
    func whatIsMadeUpChangesNothing(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { _, users, group in
            let (alice, mallory) = (users[0], users[2])
            try await alice.commit(mlsMessage(epoch: 2), info: "living", to: group).expect(Outcome(200))
            for epoch: UInt64 in [4, 5, 6, 7, 1000, 1 << 40, .max] {
                // With a tag of another epoch, too.
                for info in [made(epoch), groupInfo(epoch: epoch, tag: defaultTag(2, ""), "junk")] {
                    try await mallory.refresh(info, of: group).expect(Outcome(200))
                }
                #expect(try await alice.storedInfo(group) == "living", "epoch \(epoch)")
            }
            for epoch: UInt64 in 0...3 {
                let outcome = try await mallory.refresh(made(epoch), of: group).outcome
                #expect(outcome == (ordering == .strict ? Outcome(409, 301) : Outcome(200)), "epoch \(epoch)")
                #expect(try await alice.storedInfo(group) == "living", "epoch \(epoch)")
            }
            for tag in [[], [UInt8](repeating: 1, count: ServerLimits.confirmationTagBytes.upperBound + 1)] {
                let outcome = try await mallory.refresh(groupInfo(epoch: 3, tag: tag), of: group).outcome
                #expect(outcome == Outcome(400, 100))
            }
            try await alice.commit(mlsMessage(epoch: 3), to: group).expect(Outcome(200))
        }
    }

    @Test(arguments: orderings)
    func theOneThatComesWithACommitIsOfItsState(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { server, users, group in
            let (alice, mallory) = (users[0], users[2])
            let carol = try await server.user("carol")
            let living = try await alice.storedInfo(group)
            let commit = mlsMessage(epoch: 2, filler: "commit")
            let tag = defaultTag(2, "commit")
            let wrong = [
                made(3), groupInfo(epoch: 2, tag: tag), groupInfo(epoch: 4, tag: tag),
                groupInfo(epoch: 1 << 40, tag: tag),
                groupInfo(epoch: 3, group: [1], tag: tag), Array("junk".utf8), groupInfo(epoch: 2),
            ]
            for info in wrong {
                let upload = WireUploadCommitRequest.with {
                    $0.commitMessage = Data(commit)
                    $0.groupInfo = Data(info)
                }
                #expect(try await mallory.post("groups/\(group)/commit", upload).outcome == Outcome(400, 100))
                let escrow = WireEscrowInviteRequest.with {
                    $0.inviteeID = carol.id.blob
                    $0.commitMessage = Data(commit)
                    $0.welcomeMessage = Data([1])
                    $0.groupInfo = Data(info)
                }
                #expect(try await alice.post("groups/\(group)/escrow-invite", escrow).outcome == Outcome(400, 100))
            }
            #expect(try await alice.log(group).count == 2)
            #expect(try await alice.storedInfo(group) == living)
            try await mallory.commit(commit, info: "next", to: group).expect(Outcome(200))
            #expect(try await alice.storedInfo(group) == "next")
        }
    }

    /// A dead commit leaves its GroupInfo there, and an external one brings none.
    @Test func membersPutTheLivingOneThere() async throws {
        try await run { _, users, group in
            let (alice, bob, mallory) = (users[0], users[1], users[2])
            try await mallory.commit(mlsMessage(epoch: 2, filler: "dead"), info: "dead", to: group).expect(Outcome(200))
            let dead = try await alice.log(group).last.required.sequenceNum
            try await alice.commit(mlsMessage(epoch: 2), info: "living", to: group, contests: "\(dead)").expect(
                Outcome(200))
            #expect(try await bob.storedInfo(group) == "dead")
            try await bob.refresh(groupInfo(epoch: 3, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living")

            try await mallory.externalJoin(epoch: 3, filler: "back", group).expect(Outcome(200))
            let next = groupInfo(after: externalCommit(epoch: 3, by: mallory.id, filler: "back"), "with mallory")
            try await bob.refresh(next, of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "with mallory")
            try await alice.commit(mlsMessage(epoch: 4), to: group).expect(Outcome(200))
        }
    }

    @Test(arguments: orderings)
    func theLastFourAreKeptByTag(_ ordering: ServerConfiguration.Ordering) async throws {
        try await run(ordering) { server, users, group in
            let (alice, bob) = (users[0], users[1])
            for epoch: UInt64 in 2...8 {
                try await alice.commit(mlsMessage(epoch: epoch), info: "\(epoch)", to: group).expect(Outcome(200))
            }
            try await bob.refresh(groupInfo(epoch: 8, "7 again"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "7 again")
            let kept = try await server.server.store.read { try $0.rows("SELECT 1 FROM group_info").count }
            #expect(kept == ServerLimits.groupInfos)
            for (epoch, label) in [(5, "5"), (6, "6"), (7, "7 again"), (8, "8")] as [(UInt64, String)] {
                let tag = hexEncode(defaultTag(epoch, ""))
                #expect(try await bob.storedInfo(group, query: "?tag=\(tag)") == label)
            }
            let path = "groups/\(group)/group-info?tag="
            #expect(try await bob.get(path + hexEncode(defaultTag(4, ""))).outcome == Outcome(404, 300))
            #expect(try await bob.get(path).outcome == Outcome(404, 300))
            #expect(try await bob.get(path + "xyz").outcome == Outcome(400, -1))
        }
    }

    // MARK: A server that was put back

    /// The members are in epoch 9; the server is back where epoch 3 began.
    @Test func aServerThatWasPutBackBelievesTwoMembers() async throws {
        try await run { _, users, group in
            let (bob, mallory) = (users[1], users[2])
            try await mallory.refresh(made(9), of: group).expect(Outcome(200))
            #expect(try await bob.commit(mlsMessage(epoch: 9), to: group).outcome == Outcome(409, 301))
            try await bob.refresh(groupInfo(epoch: 9, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) != "living", "one word is not enough")
            for _ in 0..<3 { try await mallory.refresh(made(9), of: group).expect(Outcome(200)) }
            #expect(try await bob.commit(mlsMessage(epoch: 9), to: group).outcome == Outcome(409, 301))
            // Whoever it is, they say the same as Bob.
            try await mallory.refresh(groupInfo(epoch: 9, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living")
            try await bob.commit(mlsMessage(epoch: 9), to: group).expect(Outcome(200))
            #expect(try await bob.commit(mlsMessage(epoch: 2), to: group).outcome == Outcome(409, 301))
        }
    }

    @Test func aServerThatWasPutBackBelievesAnAdmin() async throws {
        try await run { _, users, group in
            let (alice, bob) = (users[0], users[1])
            try await alice.refresh(groupInfo(epoch: 9, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living")
            // It is known from now on.
            try await bob.refresh(groupInfo(epoch: 9, "the same"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "the same")
            try await bob.commit(mlsMessage(epoch: 9), to: group).expect(Outcome(200))
            // Of epochs from which others have gone on, not even an admin says something else.
            #expect(try await alice.refresh(made(9), of: group).outcome == Outcome(409, 301))
        }
    }

    @Test func whoIsAloneIsBelieved() async throws {
        try await run(members: []) { _, users, group in
            for epoch: UInt64 in [0, 7, 1 << 40, 5] {
                try await users[0].refresh(made(epoch, tag: "\(epoch)"), of: group).expect(Outcome(200))
                try await users[0].commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
        }
    }

    /// Anyone may be on the roster of a public group.
    @Test func theWordOfWhoHasNotComeInCountsNothing() async throws {
        try await run { server, users, group in
            let (alice, bob) = (users[0], users[1])
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })
            for name in ["dave", "eve"] {
                let user = try await server.user(name)
                try await user.post("groups/\(group)/join").expect(Outcome(200))
                try await user.refresh(made(9), of: group).expect(Outcome(200))
            }
            #expect(try await bob.commit(mlsMessage(epoch: 9), to: group).outcome == Outcome(409, 301))
            try await bob.refresh(made(9), of: group).expect(Outcome(200))
            #expect(try await bob.commit(mlsMessage(epoch: 9), to: group).outcome == Outcome(409, 301))
        }
    }

    /// What someone said no longer counts once they are gone.
    @Test func theWordOfWhoLeftIsForgotten() async throws {
        try await run { server, users, group in
            let (bob, mallory) = (users[1], users[2])
            try await mallory.refresh(groupInfo(epoch: 9), of: group).expect(Outcome(200))
            try await mallory.post("groups/\(group)/leave").expect(Outcome(200))
            try await bob.refresh(groupInfo(epoch: 9), of: group).expect(Outcome(200))
            #expect(try await bob.commit(mlsMessage(epoch: 9), to: group).outcome == Outcome(409, 301))
            let kept = try await server.server.store.read { try $0.rows("SELECT 1 FROM vouch").count }
            #expect(kept == 1)
        }
    }

    // MARK: Bounds

    @Test func tagsOutliveTheirRowsAndNotWithoutEnd() async throws {
        try await run { server, users, group in
            let (alice, bob) = (users[0], users[1])
            let update = WireUpdateGroupRequest.with {
                $0.messageExpirySeconds = 10
                $0.updateMessageExpiry = true
            }
            try await alice.patch("groups/\(group)", update).expect(Outcome(200))
            func tags() async throws -> Int {
                try await server.server.store.read { try $0.rows("SELECT 1 FROM commit_tag").count }
            }
            let end = UInt64(ServerLimits.outlivedTags) + 20
            for epoch in 2...end { try await bob.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200)) }
            #expect(try await tags() == Int(end) + 1, "all of them can be read in the log")
            server.clock.advance(10)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.log(group).isEmpty)
            try await bob.refresh(groupInfo(epoch: end + 1, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living", "the row is gone, the tag is not")
            for epoch in (end + 1)...(end + 3) {
                try await bob.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
            #expect(try await tags() == ServerLimits.outlivedTags + 3)
        }
    }

    // MARK: Groups from before

    /// Makes a group look like one from before tags were noted.
    private func forgetTags(_ server: TestServer, _ group: ID) async throws {
        try await server.server.store.write { transaction in
            try transaction.execute("DELETE FROM commit_tag WHERE group_id = ?", [group.blob])
            try transaction.execute("UPDATE chat SET tags_from = NULL WHERE id = ?", [group.blob])
        }
    }

    @Test func aGroupFromBeforeGoesOnAsItDid() async throws {
        try await run { server, users, group in
            let (alice, bob, mallory) = (users[0], users[1], users[2])
            for epoch: UInt64 in 2...9 {
                try await bob.commit(mlsMessage(epoch: epoch), to: group).expect(Outcome(200))
            }
            try await forgetTags(server, group)
            // Its last commit came from outside, perhaps: a member puts the GroupInfo there.
            try await bob.refresh(groupInfo(epoch: 10, "living"), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living")
            // No one can say more than the truth or a little.
            try await mallory.refresh(made(1 << 40), of: group).expect(Outcome(200))
            #expect(try await bob.storedInfo(group) == "living")
            // Junk used up an epoch: the way back is there for as long as its tag may be missed.
            try await mallory.commit(mlsMessage(epoch: 10, filler: "junk"), to: group).expect(Outcome(200))
            try await bob.refresh(groupInfo(epoch: 10, "way back"), of: group).expect(Outcome(200))
            for epoch: UInt64 in 10...13 {
                try await alice.commit(mlsMessage(epoch: epoch), info: "\(epoch)", to: group).expect(Outcome(200))
            }
            #expect(try await mallory.refresh(made(10), of: group).outcome == Outcome(409, 301), "tags are known now")
            #expect(try await mallory.refresh(made(9), of: group).outcome == Outcome(409, 301))
            #expect(try await bob.storedInfo(group) == "13")
            try await bob.refresh(groupInfo(epoch: 14, "fresh"), of: group).expect(Outcome(200))
        }
    }

    /// A database of the schema before, with one GroupInfo in it that can be read and one that cannot.
    @Test func anOlderDatabaseKeepsItsGroupInfos() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/" + ServerDatabase.fileName
        let (good, odd) = (Data(repeating: 1, count: 16), Data(repeating: 2, count: 16))
        do {
            let queue = try DatabaseQueue(path: path)
            try Schema.migrator.migrate(queue, upTo: "4")
            try queue.write { db in
                for (number, group) in [good, odd].enumerated() {
                    try db.execute(
                        sql: "INSERT INTO chat VALUES (?, ?, '', NULL, -1, 1, 3, 7, 0)",
                        arguments: [group, "g\(number)"])
                }
                try db.execute(
                    sql: "INSERT INTO group_info VALUES (?, ?), (?, x'00')",
                    arguments: [good, Data(groupInfo(epoch: 8, "kept")), odd])
            }
            try queue.close()
        }
        let database = try ServerDatabase(directory: directory)
        let (kept, chats) = try database.pool.read { db in
            (
                try Row.fetchAll(db, sql: "SELECT group_id, tag, data FROM group_info ORDER BY number"),
                try Row.fetchAll(db, sql: "SELECT epoch, highest_epoch, tags_from FROM chat")
            )
        }
        #expect(kept.map { $0[0] as Data } == [good, odd])
        #expect(kept.map { $0[1] as Data } == [Data(defaultTag(7, "")), Data()])
        #expect(label(ofGroupInfo: kept[0][2] as Data) == "kept" && kept[1][2] as Data == Data([0]))
        #expect(chats.allSatisfy { $0[0] as Int64 == 7 && $0[1] as Int64 == 7 && ($0[2] as Int64?) == nil })
        try database.close()
    }
}
