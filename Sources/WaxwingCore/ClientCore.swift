import ConclaveProtocol
public import MLS

/// The client without its hands: reads a store and turns each input into one change set and the effects to perform
/// after it.
///
/// It has no sockets, files, clock or randomness of its own. The same store, inputs, moments and entropy give the same
/// batches, byte for byte. It is a value: the caller keeps the old one until the change set is committed, and goes back
/// to it if the store refuses.
///
/// ```
/// input ─▶ handle ─▶ Batch ─▶ store.commit(changes) ─▶ perform(effects) ─▶ inputs …
/// ```
public struct ClientCore: Sendable {
    let store: any Store
    let crypto: any SuiteCrypto
    let sha256: @Sendable ([UInt8]) -> [UInt8]
    let entropy: any EntropySource
    var groups = GroupCache()
    /// Who is in the groups whose state is in memory.
    var decoded = DecodedRecords()
    var link = LinkControl()
    var lanes = Lanes()
    var serverClock = ServerClock()
    /// The store revision at which everything kept in memory was read.
    public internal(set) var revision: UInt64
    private var signer: SignaturePrivateKey?

    /// - Parameters:
    ///   - provider: must offer cipher suite 6, the one used on the wire.
    ///   - entropy: where all randomness comes from.
    /// - Throws: ``MLSError`` or ``StoreError``.
    public init(store: any Store, provider: any CryptoProvider, entropy: any EntropySource) throws {
        self.store = store
        self.entropy = entropy
        crypto = try provider.suite(.x448_chacha20poly1305_sha512_ed448)
        let suite1 = try provider.suite(.x25519_aes128gcm_sha256_ed25519)
        sha256 = { suite1.hash($0) }
        revision = try store.revision()
    }

    /// Handles one input.
    ///
    /// - Throws: ``CoreError`` if a command cannot be carried out, ``StoreError`` if the store fails. Nothing has
    ///   changed then, provided the caller goes back to the value it had.
    public mutating func handle(_ input: Input, now: Moment) throws -> Batch {
        try notice(revision: store.revision())
        var turn = Turn(draft: Draft(store: store, base: revision, decoded: decoded), now: now)
        decoded = DecodedRecords()
        switch input {
        case .perform(let command): try perform(command, &turn)
        case .connect(let live, let atOnce): try connect(live: live, atOnce: atOnce, &turn)
        case .askedDirectly(let server, let error): try askedDirectly(server, error, &turn)
        case .disconnect: try disconnect(&turn)
        case .answered(let id, let result): try answered(id, result, &turn)
        case .feed(let event): try feed(event, &turn)
        case .feedEnded(let error): try feedEnded(error, &turn)
        case .resume: try applyWaitingRows(&turn)
        case .wake, .storeChanged: break
        }
        try advance(&turn)
        groups.trim(to: ClientLimits.cachedGroups)
        if turn.draft.decoded.count <= ClientLimits.cachedGroups { decoded = turn.draft.decoded }
        if !turn.draft.changes.isEmpty { revision += 1 }
        return turn.batch()
    }

    /// Whether fetched rows still have to be opened: hand in ``Input/resume``.
    public var hasLocalWork: Bool { !lanes.backlog.isEmpty }

    /// Requests under way.
    public var callsUnderWay: Int { lanes.calls.count }

    /// When to hand in ``Input/wake``; nil if nothing waits for time to pass.
    public var nextWake: Deadline? {
        switch link.state {
        case .waiting(let until, _): until
        case .up: lanes.nextWake
        // Without a link, nothing that waits for its time can be begun.
        case .off, .connecting, .loginNeeded: nil
        }
    }

    public var linkState: LinkState { link.state }

    /// Failures in a row since the server was last heard.
    public var linkFailures: Int { Int(link.failures) }

    /// Whether nothing is under way and nothing can be done right now; what is left waits for time, for people, or for
    /// the network.
    public var isSettled: Bool { lanes.calls.isEmpty && !hasLocalWork }

    /// Forgets the connection, when the caller cannot go on. Requests that were under way are looked for in the log
    /// next time.
    public mutating func abandonConnection() {
        link = LinkControl()
        lanes.forgetAll()
    }

    /// Forgets what is kept in memory if another process has written to the store.
    private mutating func notice(revision current: UInt64) throws {
        guard current != revision else { return }
        revision = current
        groups.removeAll()
        decoded = DecodedRecords()
        signer = nil
        if link.isOn { try lookAround() }
    }

    // MARK: What every part needs

    func account(_ turn: Turn) throws -> AccountRecord {
        guard let account = try turn.draft.account() else {
            throw CoreError.notSignedIn
        }
        return account
    }

    mutating func signer(_ turn: Turn) throws -> SignaturePrivateKey {
        if let signer { return signer }
        let made = try crypto.signatureKey(raw: account(turn).signatureKey)
        signer = made
        return made
    }

    /// Lower-case hex SHA-256 of a signature public key.
    func fingerprint(_ signatureKey: [UInt8]) -> String { hexEncode(sha256(signatureKey)) }
}
