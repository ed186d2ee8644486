import MLS

/// A client that joins by Welcome and then only reads what others do (RFC 9420 §12.4.2, §12.4.3.1).
///
/// `resumption_psks` and `successors` are not in the official files: secrets of other groups, and groups that continue
/// this one after its last epoch (by ReInit or branch), each a case like this one.
public struct PassiveClientCase: Decodable, Sendable {
    let cipher_suite: UInt16
    let external_psks: [ExternalPSK]
    let key_package: Hex
    let signature_priv: Hex
    let encryption_priv: Hex
    let init_priv: Hex
    let welcome: Hex
    let ratchet_tree: Hex?
    let initial_epoch_authenticator: Hex
    let epochs: [Epoch]
    let resumption_psks: [ResumptionPSK]?
    let successors: [PassiveClientCase]?

    struct ResumptionPSK: Decodable, Sendable {
        let psk_group_id: Hex
        let psk_epoch: UInt64
        let psk: Hex
    }

    struct ExternalPSK: Decodable, Sendable {
        let psk_id: Hex
        let psk: Hex
    }

    struct Epoch: Decodable, Sendable {
        let proposals: [Hex]
        let commit: Hex
        let epoch_authenticator: Hex
    }

    func check(_ provider: any CryptoProvider, predecessor: Group? = nil) throws {
        let crypto = try provider.vectorSuite(cipher_suite)
        guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: key_package.bytes) else {
            throw VectorMismatch("not a KeyPackage")
        }
        let bundle = try KeyPackageBundle(
            keyPackage: keyPackage, initKey: init_priv.secret, encryptionKey: encryption_priv.secret, crypto: crypto)
        try expectEqual(
            try crypto.signatureKey(raw: signature_priv.secret).publicKey, keyPackage.leafNode.signatureKey,
            "the signature key")
        let psks =
            external_psks.map { PreSharedKey(source: .external(id: $0.psk_id.bytes), secret: $0.psk.secret) }
            + (resumption_psks ?? []).map {
                PreSharedKey(
                    source: .resumption(.application, groupID: $0.psk_group_id.bytes, epoch: $0.psk_epoch),
                    secret: $0.psk.secret)
            }
        // Their lifetimes ended long ago, so the time is not checked.
        var group = try Group.join(
            welcome: welcome.bytes, bundles: [bundle], ratchetTree: ratchet_tree?.bytes, psks: psks,
            predecessor: predecessor, crypto: crypto, configuration: Self.configuration, now: nil
        ).group
        try expectSecret(group.epochAuthenticator, initial_epoch_authenticator, "the first epoch authenticator")
        for (number, epoch) in epochs.enumerated() {
            for proposal in epoch.proposals {
                guard case .proposal(let pending) = try group.process(proposal.bytes, now: nil) else {
                    throw VectorMismatch("not a proposal in epoch \(number)")
                }
                try group.storeProposal(pending)
            }
            guard case .commit(let staged) = try group.process(epoch.commit.bytes, psks: psks, now: nil) else {
                throw VectorMismatch("not a commit in epoch \(number)")
            }
            try group.merge(staged)
            try expectSecret(
                group.epochAuthenticator, epoch.epoch_authenticator, "the epoch authenticator after commit \(number)")
        }
        for successor in successors ?? [] { try successor.check(provider, predecessor: group) }
    }

    /// Allows everything the protocol allows: what an application would refuse is not what the vectors are about.
    private static var configuration: GroupConfiguration {
        var configuration = GroupConfiguration()
        configuration.acceptsNewMemberProposals = true
        configuration.allowsCredentialChange = true
        configuration.leafNodeLength = Limits.leafNodeLength
        configuration.authentication = Credulous()
        return configuration
    }

    private struct Credulous: AuthenticationService {
        func accepts(_ claim: CredentialClaim) -> Bool { true }
    }
}

/// The common format, for files with other names than the official ones.
public enum PassiveClientVectors: VectorKind {
    public static let name = "passive-client"

    public static func check(_ vector: PassiveClientCase, provider: any CryptoProvider) throws {
        try vector.check(provider)
    }
}

/// Joins only.
public enum PassiveClientWelcomeVectors: VectorKind {
    public static let name = "passive-client-welcome"

    public static func check(_ vector: PassiveClientCase, provider: any CryptoProvider) throws {
        try vector.check(provider)
    }
}

/// A few commits of every kind.
public enum PassiveClientHandlingCommitVectors: VectorKind {
    public static let name = "passive-client-handling-commit"

    public static func check(_ vector: PassiveClientCase, provider: any CryptoProvider) throws {
        try vector.check(provider)
    }
}

/// Two hundred random commits.
public enum PassiveClientRandomVectors: VectorKind {
    public static let name = "passive-client-random"

    public static func check(_ vector: PassiveClientCase, provider: any CryptoProvider) throws {
        try vector.check(provider)
    }
}
