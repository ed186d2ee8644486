import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import WaxwingClient
import WaxwingCore

/// A group with many members. Only two of them can do anything: the founder, driven by the bare engine, and the one
/// invited last. The rest are leaves whose keys no one has.
final class Crowd {
    /// Adds in one commit: a request could not hold all of them.
    private static let addsPerCommit = 250

    let name: String
    private let server: String
    /// The client that sends the founder's requests.
    private let messenger: Client
    private let session: Session
    private let group: ID
    private let crypto: any SuiteCrypto
    private let signer: SignaturePrivateKey
    private let entropy = SystemEntropy()
    private var state: MLS.Group
    private var lastID: UInt64 = 0

    init(_ name: String, server: String, through messenger: Client) async throws {
        self.name = name
        self.server = server
        self.messenger = messenger
        let password = "a password for \(name)"
        _ = try await messenger.ask(Endpoint.register(username: "founder", password: password), of: server)
        session = try await messenger.ask(Endpoint.login(username: "founder", password: password), of: server)
        group = try await messenger.ask(Endpoint.createGroup(name: name, token: session.token), of: server)
        crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
        signer = try crypto.generateSignatureKey(entropy)
        state = try MLS.Group.create(
            groupID: entropy.bytes(16), crypto: crypto, credential: .basic(identity: session.userID.bytes),
            signer: signer, lifetime: Lifetime(notBefore: 0, notAfter: .max), entropy: entropy)
        try await commit([])
    }

    /// Adds as many members as are missing.
    func fill(to count: Int) async throws {
        while state.members.count < count {
            try await add(min(Self.addsPerCommit, count - state.members.count))
        }
    }

    func add(_ count: Int) async throws {
        try await commit(try (0..<count).map { _ in .add(try nobody()) })
    }

    /// A key package that belongs to no one.
    private func nobody() throws -> KeyPackage {
        lastID += 1
        let id = [0xB0, 0, 0, 0, 0, 0, 0x40, 0] + withUnsafeBytes(of: lastID.bigEndian) { Array($0) }
        return try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: id), signer: crypto.generateSignatureKey(entropy),
            lifetime: Lifetime(notBefore: 0, notAfter: .max), entropy: entropy
        ).keyPackage
    }

    /// Without a path: sealing to so many members is not what is measured here.
    private func staged(_ proposals: [Proposal]) throws -> StagedCommit {
        try state.commit(
            proposals, forcePath: proposals.isEmpty, signer: signer, now: nil, entropy: entropy)
    }

    private func commit(_ proposals: [Proposal]) async throws {
        let staged = try staged(proposals)
        let call = Endpoint.uploadCommit(
            staged.message, groupInfo: staged.groupInfo ?? [], mlsGroupID: staged.groupID, group: group,
            token: session.token)
        try await messenger.ask(call, of: server)
        try state.merge(staged)
    }

    func invite(_ account: Account) async throws {
        guard let user = try account.client.reader.account()?.userID else { throw Trouble("nobody to invite") }
        let given = try await messenger.ask(
            Endpoint.invite([user], group: group, token: session.token), of: server)
        guard let package = given.first else { throw Trouble("there is no key package") }
        let staged = try staged([.add(try KeyPackage(message: package.keyPackage))])
        try await messenger.ask(
            Endpoint.escrowInvite(
                user, commit: staged.message, welcome: staged.welcome ?? [], groupInfo: staged.groupInfo ?? [],
                group: group, token: session.token), of: server)
        try await account.sync()
        for invite in try account.client.reader.invites() {
            try await account.client.perform(.accept(invite: invite.id))
        }
        try await account.sync()
        try state.merge(staged)
    }
}
