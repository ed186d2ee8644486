@testable import MLS
import Testing

/// A member changes what its own leaf says, and the key with which it signs (RFC 9420 §7.5, §5.3.2).
struct OwnLeafTests {
    enum Way: CaseIterable { case commit, update }

    private static let entry = Extension(ExtensionType(0xF00D), data: [7])
    private static let lively = LeafNode.Profile(
        credential: .basic(identity: Array("client 2".utf8)),
        capabilities: Capabilities(extensions: [.lastResort, entry.type]), extensions: [entry])

    /// Lets the second client change its leaf, and the others follow.
    private func change(
        _ world: inout World, to profile: LeafNode.Profile?, _ signer: SignaturePrivateKey?, by way: Way,
        adding newcomer: KeyPackage? = nil
    ) throws -> StagedCommit {
        let adds = newcomer.map { [Proposal.add($0)] } ?? []
        let old = world.clients[1].signer
        let staged: StagedCommit
        switch way {
        case .commit:
            // Even if nothing else requires a path.
            staged = try world.clients[1].group.commit(
                adds, forcePath: false, profile: profile, newSigner: signer, signer: old, now: World.now,
                entropy: world.entropy)
            try world.deliver(staged, from: 1)
        case .update:
            let update = try world.clients[1].group.proposeUpdate(
                profile: profile, newSigner: signer, signer: old, entropy: world.entropy)
            try world.deliverProposal(update, from: 1)
            // Until then all stays as it was.
            _ = try world.unprotect(try world.protect("still", by: 1), by: 0)
            staged = try world.commit(adds, by: 0)
            try world.deliver(staged, from: 0)
        }
        if let signer { world.clients[1].signer = signer }
        return staged
    }

    @Test(arguments: Way.allCases)
    func aNewSignatureKeyTakesOverWithTheEpoch(way: Way) throws {
        var world = try World(members: 3)
        let old = world.clients[1].signer
        let new = try world.crypto.generateSignatureKey(world.entropy)
        let late = try world.protect("late", by: 1)
        let newcomer = try world.newBundle()
        let staged = try change(&world, to: nil, new, by: way, adding: newcomer.bundle.keyPackage)
        #expect(staged.changes.updated.contains { $0.signatureKey == new.publicKey })
        try world.welcome([newcomer], staged)
        try world.expectAgreement()
        #expect(world.clients[3].group.member(at: LeafIndex(1))?.signatureKey == new.publicKey)

        // What was signed with the old key in the old epoch is read under that key.
        for reader in [0, 2] {
            let opened = try world.unprotect(late, by: reader)
            #expect(opened.sender.signatureKey == old.publicKey && opened.plaintext == Array("late".utf8))
            #expect(
                try world.unprotect(try world.protect("new", by: 1), by: reader).sender.signatureKey == new.publicKey)
        }
        expectError(.invalidState) { [group = world.clients[1].group, entropy = world.entropy] in
            var group = group
            _ = try group.protect([1], signer: old, entropy: entropy)
        }
        expectError(.invalidSignature) { [world] in
            try world.clients[0].group.process(
                try world.forge(.proposal(.remove(LeafIndex(2))), signer: old), now: World.now)
        }
        // The next one commits, too, and lets someone in by its GroupInfo.
        let next = try world.commit([], by: 1)
        try world.deliver(next, from: 1)
        let stranger = try world.newIdentity()
        let external = try Group.externalCommit(
            groupInfo: try #require(next.groupInfo), credential: .basic(identity: Array(stranger.name.utf8)),
            signer: stranger.signer, crypto: world.crypto, entropy: world.entropy)
        try world.deliver(external, from: nil)
    }

    @Test func theGroupInfoOfTheCommitIsSignedWithTheNewKey() throws {
        var world = try World(members: 2)
        let new = try world.crypto.generateSignatureKey(world.entropy)
        let staged = try change(&world, to: nil, new, by: .commit)
        guard case .groupInfo(let info) = try MLSMessage(decoding: try #require(staged.groupInfo)) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        try info.verifySignature(publicKey: new.publicKey, crypto: world.crypto)
    }

    @Test(arguments: Way.allCases)
    func capabilitiesAndExtensionsOfTheLeafChange(way: Way) throws {
        var world = try World(members: 3)
        _ = try change(&world, to: Self.lively, nil, by: way)
        try world.expectAgreement()
        for client in world.clients {
            let leaf = try #require(client.group.current.tree[LeafIndex(1)])
            #expect(leaf.profile == Self.lively)
        }
        // What was said is not taken back.
        try world.deliver(try world.commit([], by: 1), from: 1)
        #expect(world.clients[0].group.current.tree[LeafIndex(1)]?.profile == Self.lively)
    }

    @Test(arguments: Way.allCases)
    func aNewNameNeedsTheConsentOfAll(way: Way) throws {
        var world = try World(members: 3)
        let renamed = LeafNode.Profile(credential: .basic(identity: Array("renamed".utf8)))
        expectError(.invalidLeafNode) { [world] in
            var world = world
            _ = try change(&world, to: renamed, nil, by: way)
        }
        for index in world.clients.indices { world.clients[index].group.configuration.allowsCredentialChange = true }
        _ = try change(&world, to: renamed, nil, by: way)
        #expect(world.clients.allSatisfy { $0.group.member(identity: Array("renamed".utf8))?.index == LeafIndex(1) })
    }

    @Test(arguments: Way.allCases)
    func whatTheGroupWouldNotTakeIsNotSent(way: Way) throws {
        let required = Extension.requiredCapabilities(.init(extensions: [.lastResort]))
        let world = try World(members: 3, extensions: [required])
        let name = Credential.basic(identity: Array("client 2".utf8))
        let cases: [(String, LeafNode.Profile?, SignaturePrivateKey?, MLSError.Code)] = [
            ("another member's key", nil, world.clients[0].signer, .invalidLeafNode),
            (
                "not what the group requires", .init(credential: name, capabilities: Capabilities(extensions: [])), nil,
                .invalidLeafNode
            ),
            (
                "an extension that it does not list", .init(credential: name, extensions: [Self.entry]), nil,
                .invalidLeafNode
            ),
            (
                "no support for its own credential",
                .init(credential: name, capabilities: Capabilities(credentials: [.x509])), nil, .invalidLeafNode
            ),
            (
                "too large",
                .init(
                    credential: name,
                    capabilities: Capabilities(
                        extensions: [.lastResort] + (0..<8_500).map { ExtensionType(UInt16(0x1000 + $0)) })),
                nil, .tooLarge
            ),
        ]
        for (wrong, profile, signer, code) in cases {
            var copy = world
            let before = copy.clients[1].group.records().map(\.value)
            expectError(code, wrong) { _ = try change(&copy, to: profile, signer, by: way) }
            #expect(copy.clients[1].group.records().map(\.value) == before)
        }
        var refusing = world
        refusing.clients[1].group.configuration.authentication = Refusal()
        expectError(.credentialRefused) { _ = try change(&refusing, to: Self.lively, nil, by: way) }
    }

    /// Leaves every leaf as it is.
    private struct Refusal: AuthenticationService {
        func accepts(_ claim: CredentialClaim) -> Bool { claim.replaced == nil }
    }
}
