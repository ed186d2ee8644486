/// A primitive of OpenSSL's EVP interface, measured by ``BarePrimitives``.
enum Primitive: Hashable {
    /// Over this many bytes.
    case sign(Int)
    case verify(Int)
    /// A key pair of the KEM.
    case keygen
    /// One Diffie-Hellman.
    case agree
    /// One HMAC over 64 bytes: HKDF-Extract, or one block of HKDF-Expand.
    case hmac
    case seal(Int)
    case open(Int)
    /// Copying this many bytes in memory.
    case copy(Int)

    var name: String {
        switch self {
        case .sign(let bytes): "sign \(bytes) B"
        case .verify(let bytes): "verify \(bytes) B"
        case .keygen: "keygen"
        case .agree: "agree"
        case .hmac: "hmac"
        case .seal(let bytes): "seal \(bytes) B"
        case .open(let bytes): "open \(bytes) B"
        case .copy(let bytes): "copy \(bytes) B"
        }
    }
}

/// The primitives that an operation cannot do without, counted.
struct Floor {
    private(set) var counts: [Primitive: Int] = [:]

    func seconds(_ costs: [Primitive: Double]) -> Double {
        counts.reduce(0) { $0 + Double($1.value) * (costs[$1.key] ?? 0) }
    }

    var description: String {
        counts.map { "\($0.value) \($0.key.name)" }.sorted().joined(separator: " + ")
    }

    /// For operations without cryptography: every byte is written once.
    static func copying(_ bytes: Int) -> Floor {
        var floor = Floor()
        floor.add(.copy(bytes))
        return floor
    }

    mutating func add(_ primitive: Primitive, _ count: Int = 1) { counts[primitive, default: 0] += count }

    /// Length assumed for everything signed other than messages: leaf nodes, key packages, GroupInfos and commits.
    static let signedLength = 320

    mutating func signs(_ count: Int) { add(.sign(Self.signedLength), count) }
    mutating func verifies(_ count: Int) { add(.verify(Self.signedLength), count) }

    /// HPKE seals that share their info: a fresh key pair, a key agreement, and five HMACs each (two of the KEM, three
    /// of the key schedule), an AEAD; and the hash of the info once for all.
    mutating func hpkeSeals(_ count: Int) {
        add(.keygen, count)
        add(.agree, count)
        add(.hmac, 5 * count + 1)
        add(.seal(32), count)
    }

    mutating func hpkeOpen() {
        add(.agree)
        add(.hmac, 6)
        add(.open(32))
    }

    /// The init secret of an external commit, on either side: five HMACs, two more for the exporter, one for the info.
    mutating func hpkeExport() {
        add(.agree)
        add(.hmac, 8)
    }

    /// Key pairs along a path: the next path secret, the node secret, and the two steps of DeriveKeyPair.
    mutating func pathKeys(_ count: Int) {
        add(.keygen, count)
        add(.hmac, 4 * count)
    }

    /// From one epoch to the next: joiner secret 2, member secret 1, epoch secret 1, its nine secrets, the confirmation
    /// tag.
    mutating func keySchedule() { add(.hmac, 14) }

    /// The same from a joiner secret on, and three for the key of the GroupInfo.
    mutating func joinerSchedule() { add(.hmac, 12 + 3) }

    /// One message: its key, its nonce and the next ratchet secret; key and nonce of the sender data.
    ///
    /// - Parameter depth: levels of the secret tree that a sender's first message goes down, with two secrets each, and
    ///   two ratchets.
    mutating func message(depth: Int?) {
        add(.hmac, 5 + (depth.map { 2 * $0 + 2 } ?? 0))
    }
}
