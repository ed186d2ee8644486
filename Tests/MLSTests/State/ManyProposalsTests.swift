import MLS
import Testing

@testable import MLS

/// More proposals in one epoch than a member keeps in memory.
struct ManyProposalsTests {
    /// A member who keeps in its store what does not wait, with a store that counts its look-ups.
    private struct Member {
        var group: Group
        var records: [[UInt8]: [UInt8]] = [:]
        var changed = 0
        var looked = 0

        init(_ group: Group) {
            self.group = group
            // As one that has never been stored.
            self.group.journal = Journal()
            store()
        }

        mutating func store() {
            for change in group.takeStateChanges(leavingProposalsInStore: true) {
                changed += 1
                switch change {
                case .put(let key, let value): records[key] = value
                case .delete(let key): records[key] = nil
                case .deletePrefix(let prefix): records = records.filter { !$0.key.starts(with: prefix) }
                }
            }
        }

        mutating func restart(crypto: any SuiteCrypto) throws {
            let read = records.filter { !$0.key.starts(with: Group.storedProposals) }
            group = try Group.restore(read.map { ($0.key, $0.value) }, crypto: crypto)
        }

        mutating func process(_ message: [UInt8]) throws -> StagedCommit {
            let (group, records) = (group, records)
            var looked = 0
            defer { self.looked += looked }
            let incoming = try group.process(message, now: World.now) { key throws(MLSError) in
                looked += 1
                return records[key]
            }
            guard case .commit(let staged) = incoming else { throw MLSError(.malformed, "not a commit") }
            return staged
        }
    }

    private static func flood(_ member: inout Member, _ numbers: Range<Int>, epoch: UInt64) throws {
        for number in numbers {
            try member.group.storeProposal(
                pending(.remove(LeafIndex(UInt32(9 + number))), number: number, epoch: epoch))
            if number % 100 == 0 { member.store() }
        }
        member.store()
    }

    @Test(arguments: [false, true])
    func aCommitMayReferToAnyProposalOfItsEpoch(isRestarted: Bool) throws {
        var scene = try RuleScene()
        var member = Member(scene.victim)
        let epoch = member.group.epoch
        try Self.flood(&member, 0..<5_000, epoch: epoch)
        try scene.remember(try scene.forge(.remove(RuleScene.other)))
        let last = try #require(scene.victim.pendingProposals.last)
        try member.group.storeProposal(last)
        member.store()
        #expect(member.group.pendingProposals.count == Limits.waitingProposalsOfOneSender)
        #expect(member.group.proposals.records.count == Limits.waitingProposalsOfOneSender + 1, "memory is bounded")
        if isRestarted { try member.restart(crypto: scene.crypto) }
        #expect(member.group.proposals.records.count == Limits.waitingProposalsOfOneSender + 1)

        let commit = try scene.forgeCommit(references: [last], by: 2)
        expectError(.unknownReference, "without the store") { try member.group.process(commit, now: World.now) }
        let staged = try member.process(commit)
        #expect(staged.changes.removed.map(\.index) == [RuleScene.other])
        #expect(member.looked == 1)

        try member.group.merge(staged)
        member.store()
        #expect(member.records.keys.allSatisfy { !$0.starts(with: Group.storedProposals) }, "they end with their epoch")
        let whole = Dictionary(uniqueKeysWithValues: member.group.records().map { ($0.key, $0.value) })
        #expect(member.records == whole)
    }

    @Test func whatAProposalCostsDoesNotGrowWithTheirNumber() throws {
        var member = Member(try RuleScene().victim)
        let epoch = member.group.epoch
        var changes: [Int] = []
        for number in 0..<6_000 {
            let before = member.changed
            try member.group.storeProposal(
                pending(
                    .remove(LeafIndex(UInt32(9 + number))), number: number, by: LeafIndex(UInt32(number % 20)),
                    epoch: epoch))
            member.store()
            changes.append(member.changed - before)
        }
        #expect(changes.allSatisfy { $0 <= 4 }, "its own record, and those of a proposal that goes aside")
        #expect(member.group.proposals.records.count <= Limits.waitingProposals + 1)
    }

    /// Earlier versions let 4,096 proposals wait, whoever sent them, and had no others.
    @Test func recordsOfEarlierVersionsAreRead() throws {
        let scene = try RuleScene()
        var member = Member(scene.victim)
        let epoch = member.group.epoch
        for number in 0..<4_096 {
            let old = pending(.remove(LeafIndex(UInt32(9 + number))), number: number, epoch: epoch)
            member.records[RecordKey.proposal(UInt32(number)).encoded] = ProposalRecord(old).encoded
        }
        try member.restart(crypto: scene.crypto)
        #expect(member.group.pendingProposals.count == Limits.waitingProposalsOfOneSender)
        member.store()
        #expect(member.records.keys.count { $0.starts(with: Group.storedProposals) } == 4_096 - 512)
        try member.restart(crypto: scene.crypto)
        #expect(member.group.takeStateChanges().isEmpty)
        // The next one has a number of its own.
        try Self.flood(&member, 4_096..<4_100, epoch: epoch)
        try member.group.storeProposal(pending(.remove(LeafIndex(1)), number: 4_100, by: LeafIndex(2), epoch: epoch))
        member.store()
        #expect(member.group.pendingProposals.count == Limits.waitingProposalsOfOneSender + 1)
        try member.restart(crypto: scene.crypto)
        #expect(member.group.pendingProposals.count == Limits.waitingProposalsOfOneSender + 1)
    }

    @Test func aCommitRefersToAsMuchAsItCouldHoldAndNoMore() throws {
        let scene = try RuleScene()
        var member = Member(scene.victim)
        let data = [UInt8](repeating: 0, count: 5 << 20)
        for number in 0..<13 {
            let long = Proposal.preSharedKey(PreSharedKeyID(source: .external(id: data), nonce: []))
            try member.group.storeProposal(pending(long, number: number, epoch: member.group.epoch))
        }
        let references = (0..<13).map { ProposalOrRef.reference(pending(.remove(.init(0)), number: $0).reference) }
        for (count, code) in [(12, MLSError.Code.invalidProposal), (13, .tooLarge)] {
            let commit = try scene.forge(.commit(Commit(proposals: Array(references.prefix(count)), path: nil)))
            expectError(code, "\(count)") { try member.group.process(commit, now: World.now) }
        }
    }
}
