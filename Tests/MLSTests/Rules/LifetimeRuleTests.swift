import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §7.2: an application has a longest lifetime, and no leaf beyond it gets in.
struct LifetimeRuleTests {
    private static let longest = World.lifetime.notAfter - World.lifetime.notBefore
    private static let long = Lifetime(notBefore: World.lifetime.notBefore - 1, notAfter: World.lifetime.notAfter)

    private static var strict: GroupConfiguration {
        var configuration = GroupConfiguration()
        configuration.longestLifetime = longest
        return configuration
    }

    @Test func aLeafThatLivesTooLongIsRefusedEverywhere() throws {
        var world = try World(members: 2)
        let crypto = world.crypto
        world.clients[0].group.configuration.longestLifetime = Self.longest
        let newcomer = try world.newBundle(lifetime: Self.long)
        let keyPackage = newcomer.bundle.keyPackage
        expectError(.invalidLeafNode, "a committer") { try world.commit([.add(keyPackage)], by: 0) }
        expectError(.invalidLeafNode, "who proposes") {
            try world.clients[0].group.propose(
                .add(keyPackage), signer: world.clients[0].signer, now: World.now, entropy: world.entropy)
        }
        expectError(.invalidLeafNode, "a founder") {
            try Group.create(
                groupID: [1], crypto: crypto, credential: .basic(identity: [1]), signer: newcomer.signer,
                lifetime: Self.long, configuration: Self.strict, entropy: world.entropy)
        }
        let staged = try world.commit([.add(keyPackage)], by: 1, forcePath: false)
        expectError(.invalidLeafNode, "a reader") { [world] in
            try world.clients[0].group.process(staged.message, now: nil)
        }
        // The clients of the world live no longer than they may; the newcomer does.
        try world.clients[1].group.merge(staged)
        let second = try world.newBundle()
        let next = try world.commit([.add(second.bundle.keyPackage)], by: 1, forcePath: false)
        func join(_ configuration: GroupConfiguration) throws -> Group {
            try Group.join(
                welcome: try #require(next.welcome), bundles: [second.bundle], crypto: crypto,
                configuration: configuration, now: World.now
            ).group
        }
        expectError(.invalidLeafNode, "a joiner") { try join(Self.strict) }
        #expect(try join(GroupConfiguration()).members.count == 4)
        expectError(.invalidLeafNode, "a joiner by commit") {
            try Group.externalCommit(
                groupInfo: try #require(next.groupInfo), credential: .basic(identity: [9]),
                signer: crypto.generateSignatureKey(world.entropy), crypto: crypto, configuration: Self.strict,
                entropy: world.entropy)
        }
    }

    @Test func theLongestLifetimeItselfIsRight() throws {
        var world = try World(members: 1)
        world.clients[0].group.configuration.longestLifetime = Self.longest
        try world.deliver(
            try world.commit([.add(try world.newBundle().bundle.keyPackage)], by: 0), from: 0)
        #expect(world.clients[0].group.members.count == 2)
        #expect(Lifetime(notBefore: 5, notAfter: 4).total == 0 && Lifetime(notBefore: 0, notAfter: .max).total == .max)
    }
}
