import ConclaveProtocol
import MLS

/// A member's word that others belong to the room, in the `authenticated_data` of a commit under their signature.
///
/// Someone who accepts an invite late joins from outside, and the commit that would have added them is in the log.
/// Members who were in the group when that was made can tell whose it is. Those who came later cannot, since they never
/// had the context for which it was signed (RFC 9420 §6.1). The inviter says so once for all of them, and so does an
/// admin who has accepted a member by hand: one person is asked, not everyone. Other clients see a change of keys.
struct VouchNote: Hashable {
    struct Pair: Hashable {
        var user: ID
        /// SHA-256 of the signature key.
        var digest: [UInt8]
    }

    /// "Wax", and the version of what follows: pairs of 48 bytes.
    private static let mark: [UInt8] = [0x57, 0x61, 0x78, 2]
    private static let pairLength = 48

    let pairs: [Pair]

    /// At most ``ClientLimits/vouchedPairs``, the first ones.
    init(_ pairs: [Pair]) { self.pairs = Array(pairs.prefix(ClientLimits.vouchedPairs)) }

    /// Nil for anything else.
    init?(authenticatedData: [UInt8]) {
        let body = authenticatedData.dropFirst(Self.mark.count)
        guard authenticatedData.starts(with: Self.mark), !body.isEmpty, body.count % Self.pairLength == 0,
            body.count <= Self.pairLength * ClientLimits.vouchedPairs
        else { return nil }
        var pairs: [Pair] = []
        for start in stride(from: body.startIndex, to: body.endIndex, by: Self.pairLength) {
            guard let user = ID(Array(body[start..<start + 16])) else { return nil }
            pairs.append(Pair(user: user, digest: Array(body[start + 16..<start + Self.pairLength])))
        }
        self.pairs = pairs
    }

    var authenticatedData: [UInt8] { Self.mark + pairs.flatMap { $0.user.bytes + $0.digest } }
}

extension ClientCore {
    /// Members whom we have let in and others may not be able to place: our word for them goes into the log.
    func ownVouching(_ record: GroupRecord, _ turn: Turn) throws -> VouchNote? {
        guard let room = try turn.draft.room(record.id) else { return nil }
        let pairs = room.leaves.filter { $0.vouching == .wanted && $0.standing == .accepted }
            .map { VouchNote.Pair(user: $0.user, digest: $0.digest) }
        return pairs.isEmpty ? nil : VouchNote(pairs)
    }

    /// A commit with a word for members has counted.
    mutating func takeVouching(_ staged: StagedCommit, in record: inout GroupRecord, _ turn: inout Turn) throws
        -> RoomRecord?
    {
        guard let note = VouchNote(authenticatedData: staged.authenticatedData),
            let author = ID(staged.committer.identity),
            var room = try turn.draft.room(record.id)
        else { return nil }
        let me = try account(turn).userID
        let pairs = Set(note.pairs)
        let mayAdd = try mayAdd(staged.committer, to: room, of: record.id, turn)
        let level = try turn.draft.trust(in: room)
        var isChanged = false
        for place in room.leaves.indices {
            let leaf = room.leaves[place]
            guard pairs.contains(VouchNote.Pair(user: leaf.user, digest: leaf.digest)) else { continue }
            if leaf.vouching == .wanted, author == me || mayAdd {
                room.leaves[place].vouching = .done
                isChanged = true
            }
            guard mayAdd, leaf.standing == .held, leaf.objection.isAboutTheWay, leaf.user != me else {
                continue
            }
            isChanged = true
            room.leaves[place].by = author
            // A word for the way in is not one for the key.
            let relation = try keyRelation(leaf.fingerprint, of: leaf.user, turn)
            if case .other(let isVerified, _) = relation, !(level == .follow && relation.mayBeFollowed) {
                room.leaves[place].objection = isVerified ? .notTheVerifiedKey : .otherKey
            } else if level == .strict {
                room.leaves[place].objection = .everyNewKey
            } else {
                room.leaves[place].accept()
                try pinIfUnknown(leaf, &turn)
            }
        }
        guard isChanged else { return nil }
        try turn.draft.put(room, for: record.id)
        if room.leaves.contains(where: { $0.vouching == .wanted }) { try queueOnce(.vouch, in: record.id, &turn) }
        return room
    }

    /// Puts our word for those whom others may not be able to place into the log: soon, so that one is enough for
    /// several who join together.
    mutating func vouchSoon(
        _ leaves: inout [RoomRecord.Leaf], awaitedIn room: RoomRecord, in record: GroupRecord, _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        var isWanted = false
        for place in leaves.indices where leaves[place].way == .external {
            let leaf = leaves[place]
            guard leaf.vouching == .none, leaf.by == me, leaf.standing == .accepted else { continue }
            // Those who were there before the invite was made can tell by themselves.
            let made = room.madeAt(leaf.user, leaf.key) ?? 0
            let isPlain = leaves.allSatisfy { $0.user == leaf.user || $0.epoch <= made }
            leaves[place].vouching = isPlain ? .done : .wanted
            isWanted = isWanted || !isPlain
        }
        if isWanted {
            try queueOnce(
                .vouch, in: record.id, notBefore: turn.deadline(afterMilliseconds: ClientLimits.vouchDelay), &turn)
        }
    }
}
