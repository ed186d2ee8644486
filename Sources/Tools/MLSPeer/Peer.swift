import MLS

/// One side of a trial between MLS engines: takes requests as lines of JSON and answers each with one line.
///
/// A peer does no IO. Key packages, groups and everything else with a handle live in it until they are freed; a key
/// package may be used again.
///
/// Where the line protocol leaves a choice:
/// * All handles are numbered in one sequence, whatever they are handles of.
/// * By default `encrypt` is false and `padding` is 0; `padding` is the number of zero bytes that are added.
/// * A commit covers all valid pending proposals besides what it lists. While a commit is pending, no other is made;
///   applying another member's commit drops it.
/// * Without `capabilities`, a key package declares the extensions of its own leaf; with them, exactly what they list.
///   The creator of a group, and anyone who joins by an external commit, declares what the group's extensions require.
/// * PSKs given to join or external_join are stored for the group; there, `{psk_group_id, epoch, psk}` gives a
///   resumption PSK.
/// * `proposal_type` is one of add, update, remove, psk, reinit, external_init, gce; `wire_format` is the name of RFC
///   9420 §6.
/// * roster answers `[{index, identity, signature_key}]`; `extension` of external_signer is `{type, data}`.
/// * A member who is removed stays in their epoch, and gets null for the new epoch's authenticator.
/// * reinit_commit also answers `commit`; it and handle_reinit_commit answer `epoch` and `epoch_authenticator`.
///   reinit_welcome, reinit_join, branch and branch_join answer as create does; the two that make a Welcome take
///   `inline_tree`, the two that read one `ratchet_tree`.
public struct Peer {
    /// The longest request line that is accepted, in bytes: room for the tree of some 10,000 members in hexadecimal,
    /// twice over.
    public static let lineLengthMax = 64 << 20

    /// Set by a `quit`: no more requests are expected.
    public internal(set) var isFinished = false

    let provider: any CryptoProvider
    let entropy: any EntropySource
    /// Unix seconds.
    let clock: () -> UInt64

    /// What new groups start with: nothing is padded unless a request says so, and strangers may ask to be added.
    var configuration = GroupConfiguration()
    var keyPackages = HandleTable<PeerKeyPackage>("key package")
    var groups = HandleTable<PeerGroup>("group")
    /// Groups that a ReInit has ended.
    var tombstones = HandleTable<Group>("tombstone")
    var signers = HandleTable<PeerSigner>("signer")
    private var lastHandle = 0

    /// - Parameter clock: the time in Unix seconds; key packages are made for it and checked against it.
    public init(provider: any CryptoProvider, entropy: any EntropySource, clock: @escaping () -> UInt64) {
        self.provider = provider
        self.entropy = entropy
        self.clock = clock
        configuration.paddingBlock = 0
        configuration.acceptsNewMemberProposals = true
        // Others have their own limits, and a trial is about what they send.
        configuration.leafNodeLength = Limits.leafNodeLength
    }

    /// Carries out one request.
    ///
    /// - Parameter line: a JSON object in UTF-8, without the line's end.
    /// - Returns: the answer, likewise. A request that cannot be carried out is answered with what is wrong, and
    ///   changes nothing.
    public mutating func answer(_ line: [UInt8]) -> [UInt8] {
        if line.count > Self.lineLengthMax { return Self.answerToLongLine }
        var id: PeerJSON?
        do {
            let request = try Request(line: line)
            id = request.id
            return try carryOut(request).line(id: id)
        } catch {
            return Answer.line(id: id, error: "\(error)")
        }
    }

    /// The same with texts.
    public mutating func answer(_ line: String) -> String {
        String(decoding: answer(Array(line.utf8)), as: UTF8.self)
    }

    /// The answer to a line longer than ``lineLengthMax``, of which nothing has been kept.
    public static var answerToLongLine: [UInt8] {
        Answer.line(id: nil, error: "the line is longer than \(lineLengthMax) bytes")
    }

    private mutating func carryOut(_ request: Request) throws -> Answer {
        let name = try request.text("op")
        guard let operation = Operation.named[name] else { throw PeerError("there is no op `\(name.prefix(40))`") }
        return try operation.run(&self, request)
    }

    /// A handle that nothing else in this process has had, of whatever kind.
    mutating func newHandle() -> Int {
        lastHandle += 1
        return lastHandle
    }
}

extension Peer {
    /// The crypto of the suite that the request's `suite` names.
    func crypto(_ request: Request) throws -> any SuiteCrypto {
        let number: UInt16 = try request.integer("suite")
        guard let suite = CipherSuite(rawValue: number) else { throw PeerError("there is no cipher suite \(number)") }
        return try provider.suite(suite)
    }
}
