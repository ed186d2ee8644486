import MLS
import Testing

@testable import struct MLS.Group

/// Pre-shared keys in commits, Welcomes and external commits (RFC 9420 §8.4, §8.6, §12.1.4).
struct PSKTests {
    private static let external = PreSharedKey(source: .external(id: [1]), secret: Secret([1, 2, 3]))

    @Test func aPendingPSKIsCommittedByWhoHasItsSecret() throws {
        var world = try World(members: 3)
        let id = PreSharedKeyID(source: Self.external.source, suite: world.crypto.suite, entropy: world.entropy)
        try world.propose(.preSharedKey(id), by: 1)
        #expect(try world.commit([], by: 0).changes.pskCount == 0)
        let staged = try world.commit([], by: 0, forcePath: false, psks: [Self.external])
        #expect(staged.changes.pskCount == 1 && !staged.changes.pathUpdated)
        expectError(.unknownReference) { try world.clients[2].group.process(staged.message, now: World.now) }
        expectError(.invalidTag) {
            let wrong = PreSharedKey(source: Self.external.source, secret: Secret([3]))
            return try world.clients[2].group.process(staged.message, psks: [wrong], now: World.now)
        }
        try world.deliver(staged, from: 0, psks: [Self.external])
        try world.expectAgreement()
    }

    @Test func pastEpochsProveThemselvesWithoutTheCallersHelp() throws {
        var world = try World(members: 3)
        for _ in 0..<3 { try world.deliver(try world.commit([], by: 1), from: 1) }
        let groupID = world.clients[0].group.groupID
        var ids: [Proposal] = []
        for epoch in 1...4 as ClosedRange<UInt64> {
            let source = PSKSource.resumption(.application, groupID: groupID, epoch: epoch)
            ids.append(.preSharedKey(.init(source: source, suite: world.crypto.suite, entropy: world.entropy)))
            #expect(
                try world.clients[0].group.resumptionPSK(epoch: epoch).secret
                    == world.clients[2].group.resumptionPSK(epoch: epoch).secret)
        }
        try world.propose(ids[0], by: 2)
        let staged = try world.commit(Array(ids.dropFirst()), by: 0)
        #expect(staged.changes.pskCount == 4)
        try world.deliver(staged, from: 0)
        try world.expectAgreement()
        expectError(.epochNotReached) { try world.clients[0].group.resumptionPSK(epoch: 6) }
        expectError(.epochTooOld) { try world.clients[1].group.resumptionPSK(epoch: 0) }
    }

    @Test func anEpochOutsideOfTheWindowProvesNothing() throws {
        var world = try World(members: 2)
        for index in world.clients.indices { world.clients[index].group.configuration.pastEpochs = 1 }
        let kept = try world.clients[0].group.resumptionPSK()
        for _ in 0..<2 { try world.deliver(try world.commit([], by: 1), from: 1) }
        expectError(.epochTooOld) { try world.clients[0].group.resumptionPSK(epoch: 1) }
        let id = PreSharedKeyID(source: kept.source, suite: world.crypto.suite, entropy: world.entropy)
        expectError(.unknownReference) { try world.commit([.preSharedKey(id)], by: 0) }
        // A member that has kept it may give it.
        let staged = try world.commit([.preSharedKey(id)], by: 0, psks: [kept])
        try world.deliver(staged, from: 0, psks: [kept])
        try world.expectAgreement()
    }

    @Test func aSecretOfOneGroupStrengthensAnother() throws {
        var world = try World(members: 2)
        let other = try World(seed: 5, members: 2, groupID: [9]).clients[0].group
        let psk = try other.resumptionPSK()
        let id = PreSharedKeyID(source: psk.source, suite: world.crypto.suite, entropy: world.entropy)
        let newcomer = try world.newBundle()
        let staged = try world.commit(
            [.add(newcomer.bundle.keyPackage), .preSharedKey(id)], by: 0, psks: [psk])
        let welcome = try #require(staged.welcome)
        expectError(.unknownReference) { [crypto = world.crypto] in
            try Group.join(welcome: welcome, bundles: [newcomer.bundle], crypto: crypto, now: World.now)
        }
        try world.deliver(staged, from: 0, psks: [psk])
        try world.welcome([newcomer], staged, psks: [psk])
        try world.expectAgreement()
    }

    @Test func anExternalCommitTakesPSKsAlong() throws {
        var world = try World(members: 3)
        let old = world.clients[2]
        let proof = try old.group.resumptionPSK()
        try world.deliver(try world.commit([], by: 0), from: 0)
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer)
        let signer = try world.crypto.generateSignatureKey(world.entropy)
        let staged = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: Array(old.name.utf8)), signer: signer,
            removing: old.group.ownLeaf, psks: [proof, Self.external], crypto: world.crypto, entropy: world.entropy)
        #expect(staged.changes.pskCount == 2 && staged.changes.removed.map(\.index) == [old.group.ownLeaf])
        expectError(.unknownReference) { try world.clients[0].group.process(staged.message, now: World.now) }
        try world.deliver(staged, from: nil, psks: [Self.external])
        world.clients.append(try Client(name: old.name, signer: signer, group: try #require(staged.next)))
        try world.expectAgreement()
        expectError(.invalidProposal, "nobody there") { [world] in
            try Group.externalCommit(
                groupInfo: world.clients[0].group.groupInfo(signer: world.clients[0].signer),
                credential: .basic(identity: [1]), signer: signer, removing: LeafIndex(7), crypto: world.crypto,
                entropy: world.entropy)
        }
        for usage in [ResumptionUsage.reinit, .branch] {
            let psk = PreSharedKey(source: .resumption(usage, groupID: [1], epoch: 1), secret: Secret([1]))
            expectError(.invalidProposal, "\(usage)") { [world] in
                try Group.externalCommit(
                    groupInfo: info, credential: .basic(identity: [1]), signer: signer, psks: [psk],
                    crypto: world.crypto, entropy: world.entropy)
            }
        }
    }
}
