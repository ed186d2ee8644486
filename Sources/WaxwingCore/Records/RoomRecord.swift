public import ConclaveProtocol
import MLS

/// Who is in a group by its ratchet tree, and what this person makes of each: the tree is the room.
///
/// The server's roster has no part in it. A pair of user id and signature key is here from the moment its leaf is first
/// seen until the leaf is gone.
public struct RoomRecord: StoredRecord, Hashable {
    static let version: UInt8 = 1

    /// How a member joined, as far as it can be told. The raw value is part of the stored format.
    public enum Way: UInt8, Hashable, Sendable {
        /// Made the group.
        case founder = 0
        /// By a commit of a member.
        case added = 1
        /// By an external commit of their own (RFC 9420 §12.4.3.2), as someone who was not in the group.
        case external = 2
        /// By an external commit that took the place of their own leaf, with another key.
        case replaced = 3
        /// By a key that their old one signed, in a commit or Update of their own.
        case keyChanged = 4
        /// Was there when a member's Welcome brought us in.
        case vouchedFor = 5
        /// Was there when we joined from outside.
        case found = 6
        /// Was there before this was recorded.
        case earlier = 7
    }

    /// Whether messages may reach a member. The raw value is part of the stored format.
    public enum Standing: UInt8, Hashable, Sendable {
        case accepted = 0
        /// A fresh roster still has to show whether the one who added them may do so.
        case unjudged = 1
        /// Messages wait until people have been told.
        case untold = 2
        /// Messages wait until someone accepts or verifies the key, or the member is removed.
        case held = 3
    }

    /// Why a member is not accepted. The raw value is part of the stored format.
    public enum Objection: UInt8, Hashable, Sendable {
        case none = 0
        /// No one who may do so let them in.
        case stranger = 1
        /// Their key is not the one that was seen of them before.
        case otherKey = 2
        /// Their key is not the one that was compared by hand.
        case notTheVerifiedKey = 3
        /// The one who added them is not an admin, by the server's word.
        case addedByNonAdmin = 4
        /// The one who added them is not accepted.
        case addedByUnaccepted = 5
        /// They joined unseen, while we were away.
        case cameUnseen = 6
        /// The leaf has our own user id, but is not ours.
        case ourName = 7
        /// Every new key is held, as this person asked for.
        case everyNewKey = 8
    }

    /// A leaf of the tree.
    public struct Leaf: Hashable, Sendable {
        /// Position in the ratchet tree.
        public internal(set) var index: UInt32
        public internal(set) var user: ID
        /// The public signature key: 57 bytes in cipher suite 6.
        public internal(set) var key: [UInt8]
        /// SHA-256 of the key.
        var digest: [UInt8]
        /// Lower-case hex SHA-256 of the key.
        public var fingerprint: String { hexEncode(digest) }
        public internal(set) var way: Way
        /// Who added or vouched for them; nil if no one else had a part in it.
        public internal(set) var by: ID?
        public internal(set) var standing: Standing
        public internal(set) var objection: Objection
        /// The epoch since which they are in, as far as it was seen.
        public internal(set) var epoch: UInt64
        /// When that began, by the server's clock in Unix seconds; 0 if that is not known.
        public internal(set) var since: UInt64
        /// Whether no message of ours has reached them yet.
        public internal(set) var isNew: Bool
        var vouching = Vouching.none
        /// Whether they have said in the log, under their own signature, that they leave.
        var isLeaving = false

        mutating func accept() { (standing, objection) = (.accepted, .none) }

        mutating func hold(for objection: Objection) { (standing, self.objection) = (.held, objection) }

        /// Makes messages wait until people have been told.
        mutating func tellFirst(because objection: Objection) { (standing, self.objection) = (.untold, objection) }
    }

    /// Whether others are to be told that we let a member in (``VouchNote``). The raw value is part of the stored
    /// format.
    enum Vouching: UInt8, Hashable, Sendable { case none = 0, wanted = 1, done = 2 }

    /// By rising index.
    public internal(set) var leaves: [Leaf] = []
    /// What a lost commit of an accepted member would have added: those people may join late, from outside.
    private(set) var awaited: [Awaited] = []
    /// For this group only; nil if the profile's level holds.
    public internal(set) var trust: TrustLevel?

    /// Pairs whose leaf was removed, and the epoch that ended with it: an earlier commit lets no one in again.
    private(set) var departed: [Departed] = []

    struct Departed: Hashable {
        var user: ID
        var digest: [UInt8]
        var epoch: UInt64
    }

    struct Awaited: Hashable {
        var user: ID
        var key: [UInt8]
        var by: ID
        /// The epoch that the commit was made for.
        var epoch: UInt64
    }

    init() {}

    /// The leaves that keep messages from leaving.
    public var holds: [Leaf] { leaves.filter { $0.standing == .held || $0.standing == .untold } }
    /// Whether any leaf keeps messages from leaving, now or until a roster has come.
    var isClosed: Bool { leaves.contains { $0.standing != .accepted } }

    func leaf(of user: ID) -> Leaf? { leaves.first { $0.user == user } }

    /// Nil for someone who is not here, or not with this key.
    func standing(of member: Member) -> Standing? {
        leaves.first { $0.key == member.signatureKey && $0.user.bytes == member.identity }?.standing
    }

    mutating func noteAwaited(_ user: ID, key: [UInt8], digest: [UInt8], by: ID, epoch: UInt64) {
        if departed.contains(where: { $0.user == user && $0.digest == digest && $0.epoch >= epoch }) { return }
        let pair = Awaited(user: user, key: key, by: by, epoch: epoch)
        awaited.removeAll { $0.user == user && $0.key == key }
        awaited.append(pair)
        if awaited.count > ClientLimits.awaitedPairs { awaited.removeFirst() }
    }

    /// Replaces the leaves by those of an epoch.
    mutating func take(_ leaves: [Leaf], in epoch: UInt64) {
        noteDeparted(leaves, in: epoch)
        self.leaves = leaves
        // Those who are in are no longer awaited, and on the word of someone who is gone, or not accepted, no one
        // joins.
        if awaited.isEmpty { return }
        awaited.removeAll { pair in
            leaves.contains { $0.user == pair.user && $0.key == pair.key }
                || !leaves.contains { $0.user == pair.by && $0.standing == .accepted }
        }
    }

    private mutating func noteDeparted(_ leaves: [Leaf], in epoch: UInt64) {
        // Few leaves change in one epoch.
        var (gone, place): ([Leaf], Int) = ([], 0)
        for old in self.leaves {
            while place < leaves.count, leaves[place].index < old.index { place += 1 }
            if place < leaves.count, leaves[place].index == old.index, leaves[place].digest == old.digest { continue }
            gone.append(old)
        }
        if gone.isEmpty { return }
        let present = Set(leaves.map(\.digest))
        for old in gone where !present.contains(old.digest) {
            departed.append(Departed(user: old.user, digest: old.digest, epoch: epoch - min(epoch, 1)))
        }
        departed = departed.suffix(ClientLimits.departedPairs)
    }

    /// The epoch for which the commit was made that would have added someone.
    func madeAt(_ user: ID, _ key: [UInt8]) -> UInt64? { awaited.first { $0.user == user && $0.key == key }?.epoch }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var inner = try reader.readSubReader()
        while !inner.isAtEnd { leaves.append(try Leaf(from: &inner)) }
        if zip(leaves, leaves.dropFirst()).contains(where: { $0.index > $1.index }) {
            leaves.sort { $0.index < $1.index }
        }
        inner = try reader.readSubReader()
        while !inner.isAtEnd {
            awaited.append(
                Awaited(
                    user: try inner.readID(), key: try inner.readOpaque(), by: try inner.readID(),
                    epoch: try inner.read()))
        }
        inner = try reader.readSubReader()
        while !inner.isAtEnd {
            departed.append(
                Departed(user: try inner.readID(), digest: try inner.readRaw(32), epoch: try inner.read()))
        }
        guard try reader.readBool() else { return }
        guard let level = TrustLevel(rawValue: try reader.read()) else { throw MLSError(.malformed, "a trust level") }
        trust = level
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeVector { inner in for leaf in leaves { leaf.encode(to: &inner) } }
        writer.writeVector { inner in
            for pair in awaited {
                inner.writeID(pair.user)
                inner.writeOpaque(pair.key)
                inner.writeID(pair.by)
                inner.write(pair.epoch)
            }
        }
        writer.writeVector { inner in
            for pair in departed {
                inner.writeID(pair.user)
                inner.writeRaw(pair.digest)
                inner.write(pair.epoch)
            }
        }
        writer.writeBool(trust != nil)
        if let trust { writer.write(trust.rawValue) }
    }
}

/// How much a person wants to be asked about who is in their groups. Every level shows the lines that tell of it.
public enum TrustLevel: UInt8, CaseIterable, Hashable, Sendable {
    /// Strangers, verified members with another key, and members who joined in no accountable way are held; the rest is
    /// told.
    case usual = 0
    /// Only strangers, and keys that are contested or not the verified ones, are held: for programs that no one
    /// watches.
    case follow = 1
    /// Every new key is held.
    case strict = 2
}

extension RoomRecord.Leaf {
    init(from reader: inout TLSReader) throws(MLSError) {
        index = try reader.read()
        user = try reader.readID()
        key = try reader.readOpaque()
        digest = try reader.readRaw(32)
        guard let way = RoomRecord.Way(rawValue: try reader.read()) else { throw MLSError(.malformed, "a way in") }
        self.way = way
        by = try reader.readOptionalID()
        guard let standing = RoomRecord.Standing(rawValue: try reader.read()),
            let objection = RoomRecord.Objection(rawValue: try reader.read())
        else { throw MLSError(.malformed, "a standing") }
        self.standing = standing
        self.objection = objection
        epoch = try reader.read()
        since = try reader.read()
        isNew = try reader.readBool()
        guard let vouching = RoomRecord.Vouching(rawValue: try reader.read()) else {
            throw MLSError(.malformed, "a vouching")
        }
        self.vouching = vouching
        isLeaving = try reader.readBool()
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(index)
        writer.writeID(user)
        writer.writeOpaque(key)
        writer.writeRaw(digest)
        writer.write(way.rawValue)
        writer.writeOptionalID(by)
        writer.write(standing.rawValue)
        writer.write(objection.rawValue)
        writer.write(epoch)
        writer.write(since)
        writer.writeBool(isNew)
        writer.write(vouching.rawValue)
        writer.writeBool(isLeaving)
    }
}

extension Draft {
    /// How much the person wants to be asked, in groups without a level of their own.
    func trust() throws(StoreError) -> TrustLevel {
        try value(.account, Keys.trust)?.first.flatMap { TrustLevel(rawValue: $0) } ?? .usual
    }

    /// How much the person wants to be asked in a group.
    func trust(in room: RoomRecord?) throws(StoreError) -> TrustLevel {
        if let own = room?.trust { return own }
        return try trust()
    }

    /// The fingerprints of all keys that were seen of a user and are still theirs somewhere, in lower-case hex.
    func fingerprints(of user: ID) throws(StoreError) -> Set<String> {
        var found: Set<String> = []
        if let known = try self.user(user) { found.formUnion([known.fingerprint, known.changedFingerprint]) }
        for group in try groups() {
            for leaf in try room(group.id)?.leaves ?? [] where leaf.user == user { found.insert(leaf.fingerprint) }
        }
        return found.subtracting([""])
    }

    mutating func put(_ trust: TrustLevel) { put(.account, Keys.trust, [trust.rawValue]) }
}
