import MLS
import Testing

@testable import MLS

/// Bad or too many proposals: the honest ones still get into commits, and the cost stays bounded.
struct UnsoundProposalTests {
    /// What one member floods the others with: makes a proposal out of its number.
    struct Flood: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// How many of them a commit takes.
        var taken = 0
        let make: @Sendable (_ scene: RuleScene, _ number: Int) throws -> Proposal
    }

    private static let floods = [
        Flood(testDescription: "Removes of nobody") { _, number in .remove(LeafIndex(UInt32(9 + number))) },
        Flood(testDescription: "Adds with a false signature") { scene, _ in
            .add(try scene.keyPackage(packageSigner: scene.forgerSigner))
        },
        Flood(testDescription: "Adds of a member") { scene, _ in
            .add(try scene.keyPackage(signer: scene.world.clients[2].signer))
        },
        Flood(testDescription: "Adds of one client", taken: 1) { scene, _ in
            .add(try scene.keyPackage(key: [UInt8](repeating: 9, count: 32)))
        },
        Flood(testDescription: "Adds whose lifetime is over") { scene, _ in
            .add(try scene.keyPackage(leafSource: .keyPackage(Lifetime(notBefore: 0, notAfter: 1))))
        },
        Flood(testDescription: "Updates signed for another place") { scene, _ in
            .update(try scene.leafNode(place: RuleScene.honest))
        },
        Flood(testDescription: "Updates with the old key") { scene, _ in
            .update(try scene.leafNode(key: try scene.leaf(RuleScene.forger).encryptionKey))
        },
        Flood(testDescription: "extensions that nobody supports") { _, number in
            .groupContextExtensions([Extension(ExtensionType(0xF00D), data: [UInt8(number & 0xFF)])])
        },
        Flood(testDescription: "PSKs that nobody has") { scene, number in
            .preSharedKey(PreSharedKeyID(source: .external(id: [UInt8(number & 0xFF)]), nonce: scene.nonce))
        },
        Flood(testDescription: "ReInits to an older version") { _, _ in
            .reInit(ReInit(groupID: [1], version: ProtocolVersion(0), cipherSuite: .init(1), extensions: []))
        },
    ]

    @Test(arguments: floods)
    func nobodysProposalsKeepTheOthersOut(flood: Flood) throws {
        var scene = try RuleScene()
        let counting = RecordingCrypto(scene.crypto)
        var victim = try Group.restore(scene.victim.records(), crypto: counting)
        for number in 0..<600 {
            try victim.storeProposal(pending(try flood.make(scene, number), number: number))
        }
        let newcomer = try scene.world.newBundle().bundle.keyPackage
        try victim.storeProposal(pending(.add(newcomer), number: 600, by: RuleScene.honest))

        let signer = scene.world.clients[0].signer
        func commit() throws -> (added: [Member], checks: Int) {
            let before = counting.verifications
            let staged = try victim.commit([], signer: signer, now: World.now, entropy: scene.entropy)
            return (staged.changes.added, counting.verifications - before)
        }
        let first = try commit()
        #expect(first.added.contains { $0.signatureKey == newcomer.leafNode.signatureKey })
        #expect(first.added.count == 1 + flood.taken)
        #expect(first.checks <= 3 * 2 * Limits.triedProposals)
        // What can never be committed is not looked at again, except for the one that had no place in the first look.
        #expect(try commit().checks <= 3 * 3 * (2 + flood.taken))
    }

    /// Proposals that exclude each other cost no signatures: only those that are taken are checked.
    @Test func proposalsThatExcludeEachOtherAreToldApartWithoutTheirSignatures() throws {
        var scene = try RuleScene()
        let counting = RecordingCrypto(scene.crypto)
        var victim = try Group.restore(scene.victim.records(), crypto: counting)
        for number in 0..<200 {
            try victim.storeProposal(
                pending(.remove(RuleScene.other), number: number, by: LeafIndex(UInt32(1 + number % 2))))
        }
        let again = try scene.keyPackage(signer: scene.world.clients[3].signer)
        try victim.storeProposal(pending(.add(again), number: 200))
        try victim.storeProposal(pending(.add(again), number: 201, by: RuleScene.honest))
        let before = counting.verifications
        let staged = try victim.commit(
            [], signer: scene.world.clients[0].signer, now: World.now, entropy: scene.entropy)
        // A Remove makes room for an Add of the same client.
        #expect(staged.changes.removed.map(\.index) == [RuleScene.other] && staged.changes.added.count == 1)
        #expect(counting.verifications - before <= 6)
        _ = scene.world.clients.removeLast()
    }

    @Test func whoProposesLittleGoesBeforeWhoProposesMuch() throws {
        let count = Limits.waitingProposals / Limits.waitingProposalsOfOneSender
        var cache = ProposalCache()
        for number in 0..<Limits.waitingProposals {
            _ = cache.insert(pending(.remove(LeafIndex(1)), number: number, by: LeafIndex(UInt32(number % count))))
        }
        #expect(cache.entries.count == Limits.waitingProposals && !cache.hasAside)
        // The room is taken, and yet the first one of another member waits, in the place of someone's last.
        let late = pending(.remove(LeafIndex(1)), number: Limits.waitingProposals, by: LeafIndex(99))
        #expect(cache.insert(late).count == 4)
        #expect(cache.entries.count == Limits.waitingProposals && cache.hasAside)
        let place = Array(cache.inFairOrder).firstIndex { $0.origin == late.origin }
        #expect(place == count)
        // It is known, whatever becomes of it.
        #expect(cache.setAside([late.reference]).count == 2)
        #expect(cache[late.reference]?.origin == late.origin && cache.entries.allSatisfy { $0.origin != late.origin })
    }

    @Test func longProposalsTakeMoreOfTheirSendersShare() throws {
        func long(_ length: Int) -> Proposal {
            .groupContextExtensions([Extension(.applicationID, data: [UInt8](repeating: 0, count: length))])
        }
        var cache = ProposalCache()
        _ = cache.insert(pending(long(4 << 20), number: 0))
        #expect(cache.isEmpty && cache.hasAside)
        for number in 1..<20 { _ = cache.insert(pending(long(60_000), number: number)) }
        #expect(cache.entries.count == Limits.waitingProposalsOfOneSender * Limits.proposalShare / 60_000)
        _ = cache.insert(pending(.remove(LeafIndex(1)), number: 20, by: LeafIndex(2)))
        #expect(Array(cache.inFairOrder.prefix(1)).map(\.origin) == [.member(LeafIndex(2))])
    }
}

/// A proposal as if it had been received in epoch `epoch`.
func pending(
    _ proposal: Proposal, number: Int, by sender: LeafIndex = RuleScene.forger, epoch: UInt64 = 4
) -> PendingProposal {
    PendingProposal(
        proposal: proposal, origin: .member(sender),
        reference: ProposalRef([UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]),
        epoch: epoch, updateKey: nil, sealedWith: nil)
}
