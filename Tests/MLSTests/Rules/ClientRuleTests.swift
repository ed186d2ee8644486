import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.2: the application says what "the same client" means, and if it does, no client comes twice.
struct ClientRuleTests {
    /// The part of a name before the slash is the client.
    private struct Strict: AuthenticationService {
        var admitsEachClientOnce = true

        func accepts(_ claim: CredentialClaim) -> Bool { true }
        func clientIdentifier(of credential: Credential) -> [UInt8] {
            Array(credential.identity.prefix { $0 != UInt8(ascii: "/") })
        }
    }

    private func keyPackage(_ name: String, _ world: World) throws -> KeyPackage {
        try KeyPackageBundle.generate(
            crypto: world.crypto, identity: .basic(identity: Array(name.utf8)),
            signer: world.crypto.generateSignatureKey(world.entropy), lifetime: World.lifetime, entropy: world.entropy
        ).keyPackage
    }

    private func strictWorld() throws -> World {
        var world = try World(members: 3)
        world.clients[0].group.configuration.authentication = Strict()
        world.clients[0].group.configuration.allowsCredentialChange = true
        world.clients[1].group.configuration.allowsCredentialChange = true
        return world
    }

    @Test func noClientComesTwiceWhereTheApplicationSaysSo() throws {
        let world = try strictWorld()
        let (ann, ann2) = (try keyPackage("ann/1", world), try keyPackage("ann/2", world))
        let member = try keyPackage("client 3/2", world)
        let rows: [(String, [Proposal], Bool)] = [
            ("one Add", [.add(ann)], true),
            ("two Adds of one client", [.add(ann), .add(ann2)], false),
            ("an Add of a client who is a member", [.add(member)], false),
            ("an Add of a member who is removed", [.remove(LeafIndex(2)), .add(member)], true),
        ]
        for (name, proposals, isRight) in rows {
            // Someone who knows no such rule.
            let theirs = try world.commit(proposals, by: 1)
            if isRight {
                _ = try world.commit(proposals, by: 0)
                _ = try world.clients[0].group.process(theirs.message, now: World.now)
            } else {
                expectError(.invalidProposal, "making: \(name)") { try world.commit(proposals, by: 0) }
                expectError(.invalidProposal, "reading: \(name)") {
                    try world.clients[0].group.process(theirs.message, now: World.now)
                }
            }
        }
    }

    @Test func noClientJoinsOrRenamesItselfIntoAnother() throws {
        let world = try strictWorld()
        let info = try world.clients[1].group.groupInfo(signer: world.clients[1].signer)
        func join(_ name: String, removing leaf: LeafIndex?, _ configuration: GroupConfiguration = .init()) throws
            -> [UInt8]
        {
            try Group.externalCommit(
                groupInfo: info, credential: .basic(identity: Array(name.utf8)),
                signer: world.crypto.generateSignatureKey(world.entropy), removing: leaf, crypto: world.crypto,
                configuration: configuration, entropy: world.entropy
            ).message
        }
        func process(_ message: [UInt8]) throws { _ = try world.clients[0].group.process(message, now: World.now) }
        expectError(.invalidProposal, "a second self") { try process(join("client 3/2", removing: nil)) }
        try process(join("client 3/2", removing: LeafIndex(2)))
        try process(join("ann", removing: nil))
        expectError(.invalidProposal, "its own rule") {
            try join("client 3/2", removing: nil, world.clients[0].group.configuration)
        }
        var author = world.clients[1].group
        let renamed = try author.commit(
            [], profile: .init(credential: .basic(identity: Array("client 3/2".utf8))),
            signer: world.clients[1].signer, now: World.now, entropy: world.entropy)
        expectError(.invalidProposal, "another's name") { try process(renamed.message) }
        var own = world.clients[0].group
        expectError(.invalidProposal, "another's name of one's own will") {
            try own.commit(
                [], profile: .init(credential: .basic(identity: Array("client 3/2".utf8))),
                signer: world.clients[0].signer, now: World.now, entropy: world.entropy)
        }
    }

    @Test func withoutTheRuleAClientMayHaveTwoLeaves() throws {
        var world = try strictWorld()
        world.clients[0].group.configuration.authentication = Strict(admitsEachClientOnce: false)
        let pair = [Proposal.add(try keyPackage("ann/1", world)), .add(try keyPackage("ann/2", world))]
        #expect(try world.commit(pair, by: 0).changes.added.count == 2)
    }

    /// A client with two leaves in the old group has two in the new one.
    @Test func whoFoundsASuccessorCountsTheLeaves() throws {
        var world = try World(members: 2)
        var configuration = GroupConfiguration()
        configuration.authentication = Strict(admitsEachClientOnce: false)
        world.clients[0].group.configuration.authentication = configuration.authentication
        let own = Credential.basic(identity: Array("client 1".utf8))
        let signer = try world.crypto.generateSignatureKey(world.entropy)
        func branch(_ names: [String]) throws -> Group {
            try world.clients[0].group.branch(
                groupID: [8], with: names.map { try keyPackage($0, world) }, credential: own, signer: signer,
                lifetime: World.lifetime, configuration: configuration, now: World.now, entropy: world.entropy
            ).group
        }
        #expect(try branch(["client 2/7"]).members.count == 2)
        expectError(.invalidKeyPackage, "a branch") { try branch(["client 2/7", "client 2/8"]) }
        let reInit = ReInit(groupID: [7], cipherSuite: world.crypto.suite.identifier, extensions: [])
        try world.deliver(try world.commit([.reInit(reInit)], by: 0), from: 0)
        func reinitialize(_ names: [String]) throws -> Group {
            try world.clients[0].group.reinitialize(
                with: names.map { try keyPackage($0, world) }, credential: own, signer: signer,
                lifetime: World.lifetime, crypto: world.crypto, configuration: configuration, now: World.now,
                entropy: world.entropy
            ).group
        }
        #expect(try reinitialize(["client 2/7"]).members.count == 2)
        expectError(.invalidKeyPackage, "a successor") { try reinitialize(["client 2/7", "client 2/8"]) }
    }
}
