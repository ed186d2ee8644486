import MLS
import Synchronization
import Testing

@testable import struct MLS.Group

/// The authentication service is asked about everyone, and a refusal counts (RFC 9420 §5.3.1).
struct AuthenticationTests {
    private static let certified = Credential.x509(chain: [[1, 2, 3], [4, 5]])
    private static let capabilities = Capabilities(credentials: [.basic, .x509])

    @Test func certificatesComeInOnlyWhereSomebodyJudgesThem() throws {
        var world = try World(members: 1, capabilities: Self.capabilities)
        let signer = try world.crypto.generateSignatureKey(world.entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: world.crypto, identity: Self.certified, signer: signer, lifetime: World.lifetime,
            capabilities: Self.capabilities, entropy: world.entropy)
        expectError(.credentialRefused) { try world.commit([.add(bundle.keyPackage)], by: 0) }
        world.clients[0].group.configuration.authentication = Notary { _ in true }
        let staged = try world.commit([.add(bundle.keyPackage)], by: 0)
        #expect(staged.changes.added.map(\.credential) == [Self.certified])
        let welcome = try #require(staged.welcome)
        func join(_ configuration: GroupConfiguration) throws -> Group {
            try Group.join(
                welcome: welcome, bundles: [bundle], crypto: world.crypto, configuration: configuration,
                now: World.now
            ).group
        }
        expectError(.credentialRefused) { try join(GroupConfiguration()) }
        var configuration = GroupConfiguration()
        configuration.authentication = Notary { _ in true }
        #expect(try join(configuration).ownMember?.credential == Self.certified)
    }

    @Test func eachWayInIsAskedAbout() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let groupID = world.clients[0].group.groupID
        let notary = Notary { _ in true }
        world.clients[2].group.configuration.authentication = notary
        let newcomer = try world.newBundle()
        let service = ExternalSender(
            signatureKey: newcomer.signer.publicKey, credential: .basic(identity: Array("a service".utf8)))
        let update = try world.clients[1].group.proposeUpdate(signer: world.clients[1].signer, entropy: world.entropy)
        try world.deliverProposal(update, from: 1)
        let staged = try world.commit(
            [.add(newcomer.bundle.keyPackage), .groupContextExtensions([.externalSenders([service])])], by: 0)
        try world.deliver(staged, from: 0)
        func claim(
            _ source: CredentialClaim.Source, _ name: String, _ key: [UInt8], at leaf: UInt32?, replacing: Bool = false
        ) -> CredentialClaim {
            let credential = Credential.basic(identity: Array(name.utf8))
            return CredentialClaim(
                source: source, credential: credential, signatureKey: key, suite: crypto.suite, groupID: groupID,
                leaf: leaf.map { LeafIndex($0) }, replaced: replacing ? credential : nil)
        }
        var keys = world.clients.map(\.signer.publicKey)
        #expect(
            notary.taken() == [
                claim(.update, "client 2", keys[1], at: 1, replacing: true),
                claim(.add, newcomer.name, newcomer.signer.publicKey, at: 3),
                claim(.externalSender, "a service", newcomer.signer.publicKey, at: nil),
                claim(.commit, "client 1", keys[0], at: 0, replacing: true),
            ])

        let signer = try crypto.generateSignatureKey(world.entropy)
        var configuration = GroupConfiguration()
        let joiner = Notary { _ in true }
        configuration.authentication = joiner
        let external = try Group.externalCommit(
            groupInfo: try world.clients[0].group.groupInfo(signer: world.clients[0].signer),
            credential: .basic(identity: Array("client 2".utf8)), signer: signer, removePrior: true, crypto: crypto,
            configuration: configuration, entropy: world.entropy)
        keys.append(newcomer.signer.publicKey)
        let names = ["client 1", "client 2", "client 3", newcomer.name]
        #expect(
            joiner.taken()
                == names.enumerated().map { claim(.joinedGroup, $1, keys[$0], at: UInt32($0)) }
                + [claim(.externalSender, "a service", newcomer.signer.publicKey, at: nil)])
        try world.deliver(external, from: nil)
        #expect(
            notary.taken() == [claim(.externalCommit, "client 2", signer.publicKey, at: 1, replacing: true)])
    }

    @Test func aRefusalKeepsTheCommitOut() throws {
        let sources: [CredentialClaim.Source] = [.add, .update, .commit, .externalCommit, .externalSender]
        for refused in sources {
            var world = try World(members: 3)
            world.clients[2].group.configuration.authentication = Notary { $0.source != refused }
            let newcomer = try world.newBundle()
            let service = ExternalSender(signatureKey: [1], credential: .basic(identity: [1]))
            let staged: StagedCommit
            switch refused {
            case .add: staged = try world.commit([.add(newcomer.bundle.keyPackage)], by: 0, forcePath: false)
            case .externalSender:
                staged = try world.commit([.groupContextExtensions([.externalSenders([service])])], by: 0)
            case .externalCommit:
                staged = try Group.externalCommit(
                    groupInfo: try world.clients[0].group.groupInfo(signer: world.clients[0].signer),
                    credential: .basic(identity: [1]), signer: newcomer.signer, crypto: world.crypto,
                    entropy: world.entropy)
            default:
                let update = try world.clients[1].group.proposeUpdate(
                    signer: world.clients[1].signer, entropy: world.entropy)
                try world.deliverProposal(update, from: 1)
                staged = try world.commit([], by: 0)
            }
            expectError(.credentialRefused, "\(refused)") {
                try world.clients[2].group.process(staged.message, now: World.now)
            }
            guard case .commit = try world.clients[1].group.process(staged.message, now: World.now) else {
                throw MLSError(.malformed, "not a commit")
            }
        }
    }

    @Test func aCommitterLeavesOutWhomItsServiceRefuses() throws {
        var world = try World(members: 3)
        let newcomer = try world.newBundle()
        try world.propose(.add(newcomer.bundle.keyPackage), by: 1)
        world.clients[0].group.configuration.authentication = Notary { $0.source != .add }
        #expect(try world.commit([], by: 0).changes.added.isEmpty)
        #expect(try world.commit([], by: 2).changes.added.count == 1)
    }

    @Test func whoIsTheSameClientIsForTheServiceToSay() throws {
        var world = try World(members: 2)
        let signer = try world.crypto.generateSignatureKey(world.entropy)
        // Another credential of the second client.
        let bundle = try KeyPackageBundle.generate(
            crypto: world.crypto, identity: .basic(identity: Array("client 2, at work".utf8)), signer: signer,
            lifetime: World.lifetime, entropy: world.entropy)
        func branch() throws -> (group: Group, welcome: [UInt8]?) {
            try world.clients[0].group.branch(
                groupID: [3], with: [bundle.keyPackage], signer: world.clients[0].signer, lifetime: World.lifetime,
                now: World.now, entropy: world.entropy)
        }
        expectError(.invalidKeyPackage) { try branch() }
        world.clients[0].group.configuration.authentication = Notary { _ in true }
        let welcome = try #require(branch().welcome)
        func join() throws -> Group {
            try Group.join(
                welcome: welcome, bundles: [bundle], predecessor: world.clients[1].group, crypto: world.crypto,
                now: World.now
            ).group
        }
        expectError(.invalidWelcome) { try join() }
        world.clients[1].group.configuration.authentication = Notary { _ in true }
        #expect(try join().members.count == 2)
    }
}

/// Keeps the claims it is asked about; clients are the same if their identities begin alike.
private final class Notary: AuthenticationService {
    private let claims = Mutex<[CredentialClaim]>([])
    private let isTrue: @Sendable (CredentialClaim) -> Bool

    init(_ isTrue: @escaping @Sendable (CredentialClaim) -> Bool) { self.isTrue = isTrue }

    func accepts(_ claim: CredentialClaim) -> Bool {
        claims.withLock { $0.append(claim) }
        return isTrue(claim)
    }

    func clientIdentifier(of credential: Credential) -> [UInt8] { Array(credential.identity.prefix(8)) }

    /// The claims since the last call.
    func taken() -> [CredentialClaim] {
        claims.withLock { claims in
            defer { claims = [] }
            return claims
        }
    }
}
