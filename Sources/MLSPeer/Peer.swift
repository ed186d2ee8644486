import MLS

/// One side of a trial between MLS engines: takes requests as lines of JSON and answers each by one line.
///
/// A peer does no IO. Key packages, groups and what else has a handle live in it until they are freed.
public struct Peer {
    /// Longest request line that is taken, in bytes: room for the tree of some 10,000 members in hexadecimal, twice over.
    public static let lineLengthMax = 64 << 20

    /// Set by a `quit`: no more requests are expected.
    public internal(set) var isFinished = false

    let provider: any CryptoProvider
    let entropy: any EntropySource
    /// Unix seconds.
    let clock: () -> UInt64

    /// What new groups begin with: nothing is padded unless a request says so, and strangers may ask to be added.
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
        // Others have limits of their own, and a trial is about what they send.
        configuration.leafNodeLength = Limits.leafNodeLength
    }

    /// Carries out one request.
    ///
    /// - Parameter line: a JSON object in UTF-8, without the line's end.
    /// - Returns: the answer, likewise. A request that cannot be carried out is answered with what is wrong, and changes nothing.
    public mutating func answer(_ line: [UInt8]) -> [UInt8] {
        if line.count > Self.lineLengthMax { return Self.answerToLongLine }
        var id: JSONValue?
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

    /// What a line beyond ``lineLengthMax`` is answered with, of which nothing has been kept.
    public static var answerToLongLine: [UInt8] {
        Answer.line(id: nil, error: "the line is longer than \(lineLengthMax) bytes")
    }

    private mutating func carryOut(_ request: Request) throws -> Answer {
        let name = try request.text("op")
        guard let operation = Operation.named[name] else { throw PeerError("there is no op `\(name)`") }
        return try operation.run(&self, request)
    }

    /// A handle that no other thing of this process has had, of whatever kind.
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
