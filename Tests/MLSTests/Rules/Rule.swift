import MLS
import Testing

@testable import struct MLS.Group

/// A rule of RFC 9420, and how someone who follows all others breaks it.
struct Rule: Sendable, CustomTestStringConvertible {
    /// Of RFC 9420, as in `12.2`.
    let section: String
    /// What is wrong.
    let wrong: String
    let code: MLSError.Code
    /// Of the group in which it happens.
    let extensions: [Extension]
    /// What happens before, with the victim's consent.
    let prepare: @Sendable (inout RuleScene) throws -> Void
    /// Breaks it, against the victim.
    let attempt: @Sendable (inout RuleScene) throws -> Void

    init(
        _ section: String, _ wrong: String, _ code: MLSError.Code, extensions: [Extension] = [],
        prepare: @escaping @Sendable (inout RuleScene) throws -> Void = { _ in },
        _ attempt: @escaping @Sendable (inout RuleScene) throws -> Void
    ) {
        self.section = section
        self.wrong = wrong
        self.code = code
        self.extensions = extensions
        self.prepare = prepare
        self.attempt = attempt
    }

    var testDescription: String { "§\(section): \(wrong)" }

    /// The attempt is refused for its reason, and the victim is as it was and goes on with the others.
    func check(at location: SourceLocation = #_sourceLocation) throws {
        var scene = try RuleScene(extensions: extensions)
        try prepare(&scene)
        let before = scene.victim.records().map(\.value)
        expectError(code, testDescription, at: location) { try attempt(&scene) }
        #expect(scene.victim.records().map(\.value) == before, "\(testDescription)", sourceLocation: location)
        try scene.goOn(at: location)
    }
}

/// A group of four: a victim, a forger with all the keys of a member, an honest member, and one more.
///
///         3[3]
///       .--+--.
///       1     _     leaf 3 came last and is unmerged at the root
///      / \   / \
///     0   1 2   3
struct RuleScene {
    static let forger = LeafIndex(1)
    static let honest = LeafIndex(2)
    static let other = LeafIndex(3)

    var world: World
    /// A message that the honest member has sent: it must still be accepted after everything that the forger does.
    private let message: [UInt8]
    private let commit: StagedCommit

    /// All begin as one, which is made once; each goes its own way from there.
    private static let plain = Result { try RuleScene(making: []) }

    init(extensions: [Extension] = []) throws {
        self = try extensions.isEmpty ? Self.plain.get() : RuleScene(making: extensions)
        world.entropy = SeededEntropy(seed: 2)
    }

    private init(making extensions: [Extension]) throws {
        var world = try World(members: 3, extensions: extensions)
        for author in [1, 2] { try world.deliver(try world.commit([], by: author), from: author) }
        try world.add(1, by: 0, forcePath: false)
        message = try world.protect("honest", by: 2)
        commit = try world.commit([], by: 2)
        self.world = world
    }

    var victim: Group {
        get { world.clients[0].group }
        set { world.clients[0].group = newValue }
    }

    var forger: Group { world.clients[1].group }
    var forgerSigner: SignaturePrivateKey { world.clients[1].signer }
    var crypto: any SuiteCrypto { world.crypto }
    var entropy: SeededEntropy { world.entropy }
    var nonce: [UInt8] { [UInt8](repeating: 7, count: crypto.suite.hashLength) }

    func leaf(_ index: LeafIndex) throws -> LeafNode { try #require(victim.current.tree[index]) }

    /// Lets the victim look at a handshake message.
    func process(_ message: [UInt8], psks: [PreSharedKey] = []) throws {
        _ = try victim.process(message, psks: psks, now: World.now)
    }

    /// Lets everyone but its author remember a proposal.
    mutating func remember(_ message: [UInt8]) throws {
        for index in world.clients.indices {
            guard case .proposal(let pending)? = try? world.clients[index].group.process(message, now: World.now)
            else { continue }
            try world.clients[index].group.storeProposal(pending)
        }
    }

    /// The honest messages go through.
    fileprivate mutating func goOn(at location: SourceLocation) throws {
        #expect(try world.unprotect(message, by: 0).plaintext == Array("honest".utf8), sourceLocation: location)
        guard case .commit(let staged) = try victim.process(commit.message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        try world.clients[0].merge(staged)
        #expect(victim.epochAuthenticator == commit.next?.epochAuthenticator, sourceLocation: location)
    }
}
