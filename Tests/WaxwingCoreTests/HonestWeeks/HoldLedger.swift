import ConclaveProtocol

@testable import WaxwingCore

/// What happened honestly in a room, and every time that someone's messages waited because of a member: is that what
/// the design asks for, given what happened to the two?
struct HoldLedger {
    /// A member as someone sees them.
    private struct Pair: Hashable {
        let holder: ObjectIdentifier
        let user: ID
        let fingerprint: String
        /// Someone who was out in between is looked at again.
        let stay: Int
    }

    /// Someone whom a person has seen in the room, with whichever key.
    private struct Acquaintance: Hashable {
        let holder: ObjectIdentifier
        let user: ID
        let stay: Int
    }

    /// Someone's acceptance of an invite: the commit that was made for it, whether it counted or not.
    private struct Acceptance {
        let madeAt: UInt64
        let by: ID
        /// The invitee's.
        let key: String?
    }

    /// A row of the table that is printed.
    struct Kind: Hashable {
        let standing: RoomRecord.Standing
        let objection: RoomRecord.Objection
        let way: RoomRecord.Way
        let level: TrustLevel

        var line: String {
            let pad = { (text: String, width: Int) in text + String(repeating: " ", count: max(1, width - text.count)) }
            return pad("\(objection)", 20) + pad("\(way)", 13) + pad("\(standing)", 9) + "\(level)"
        }
    }

    /// For what is printed.
    var names: [ID: String] = [:]
    /// By user, in the order they came; the last one is in use.
    private var keys: [ID: [String]] = [:]
    /// The epochs that the group was in when someone was out. A leaf may remain for a while after that.
    private var outs: [ID: [UInt64]] = [:]
    private var met: Set<Acquaintance> = []
    private var verified: [ObjectIdentifier: [ID: String]] = [:]
    private var acceptances: [ID: [Acceptance]] = [:]
    /// Members that someone was asked about.
    private var held: Set<Pair> = []
    private var freed: Set<Pair> = []
    private(set) var counts: [Kind: Int] = [:]
    private(set) var falseAlarms: [String] = []

    // MARK: What happened

    mutating func has(_ user: ID, key fingerprint: String) {
        if keys[user]?.last != fingerprint { keys[user, default: []].append(fingerprint) }
    }

    mutating func isOut(_ user: ID, in epoch: UInt64) { outs[user, default: []].append(epoch) }

    mutating func accepted(_ user: ID, inviteMadeAt epoch: UInt64, by inviter: ID) {
        acceptances[user, default: []].append(Acceptance(madeAt: epoch, by: inviter, key: key(of: user)))
    }

    mutating func verified(_ user: ID, by holder: World.Person, _ fingerprint: String) {
        verified[ObjectIdentifier(holder), default: [:]][user] = fingerprint
    }

    func key(of user: ID) -> String? { keys[user]?.last }

    mutating func isFreed(_ leaf: RoomRecord.Leaf, by holder: World.Person) { freed.insert(pair(leaf, holder)) }

    /// Whom someone sees in the room, after what they hold was noted.
    mutating func sees(_ leaf: RoomRecord.Leaf, _ holder: World.Person) { met.insert(acquaintance(leaf, holder)) }

    private func pair(_ leaf: RoomRecord.Leaf, _ holder: World.Person) -> Pair {
        Pair(
            holder: ObjectIdentifier(holder), user: leaf.user, fingerprint: leaf.fingerprint, stay: stay(of: leaf))
    }

    private func acquaintance(_ leaf: RoomRecord.Leaf, _ holder: World.Person) -> Acquaintance {
        Acquaintance(holder: ObjectIdentifier(holder), user: leaf.user, stay: stay(of: leaf))
    }

    /// Which of someone's stays a leaf is of.
    private func stay(of leaf: RoomRecord.Leaf) -> Int { outs[leaf.user]?.count { $0 < leaf.epoch } ?? 0 }

    // MARK: Judging

    /// Messages of `holder` wait because of this member.
    mutating func note(_ leaf: RoomRecord.Leaf, _ holder: World.Person, _ level: TrustLevel, joinedEpoch: UInt64) throws
    {
        let pair = pair(leaf, holder)
        if held.contains(pair), !freed.contains(pair) { return }
        let isExplained = try explains(leaf, holder, level, joinedEpoch: joinedEpoch)
        held.insert(pair)
        let wasFreed = freed.remove(pair) != nil
        let kind = Kind(standing: leaf.standing, objection: leaf.objection, way: leaf.way, level: level)
        counts[kind, default: 0] += 1
        if !isExplained {
            falseAlarms.append(
                "\(holder.name) (\(level)) holds for \(names[leaf.user] ?? "?"): \(leaf.standing), \(leaf.objection), came \(leaf.way) by "
                    + "\(leaf.by.flatMap { names[$0] } ?? "nobody") in epoch \(leaf.epoch)"
                    + (wasFreed ? ", and was asked before" : ""))
        }
    }

    private func explains(
        _ leaf: RoomRecord.Leaf, _ holder: World.Person, _ level: TrustLevel, joinedEpoch: UInt64
    ) throws -> Bool {
        let known = keys[leaf.user] ?? []
        // No one is asked twice about one key in one stay.
        guard known.contains(leaf.fingerprint), !freed.contains(pair(leaf, holder)) else { return false }
        // Someone who was held is held with their next key, too.
        if leaf.way == .replaced, leaf.standing == .held, wasHeld(leaf.user, by: holder) { return true }
        let pinned = try holder.reader.user(leaf.user)?.fingerprint ?? ""
        let hasAnotherKey = pinned != leaf.fingerprint && known.contains(pinned)
        let compared = verified[ObjectIdentifier(holder)]?[leaf.user]
        let isNotTheVerifiedKey = compared != nil && compared != leaf.fingerprint
        switch leaf.objection {
        case .otherKey where leaf.standing == .untold:
            // Seen members with new keys are shown once.
            return level == .usual && leaf.way == .replaced && known.count > 1
        case .otherKey:
            guard level != .follow, hasAnotherKey else { return false }
            return leaf.way != .replaced || cameBackUnseen(leaf, holder, pinned: pinned, joinedEpoch: joinedEpoch)
        case .notTheVerifiedKey: return isNotTheVerifiedKey
        case .everyNewKey: return level == .strict
        case .stranger:
            // Someone who joined after the invite was made cannot read the commit that tells of it; and the word of
            // someone who is not accepted is not believed. Some clients join with another key than the one that was
            // invited. They may have joined again, with another key, before anyone looked.
            guard leaf.way == .external || leaf.way == .replaced, let last = acceptances[leaf.user]?.last else {
                return false
            }
            return last.madeAt < joinedEpoch || wasHeld(last.by, by: holder)
                || last.key != leaf.fingerprint && (level != .follow || isNotTheVerifiedKey)
        case .cameUnseen:
            // They came while we were out ourselves.
            return leaf.way == .vouchedFor || leaf.way == .found ? leaf.epoch == joinedEpoch : false
        case .addedByUnaccepted: return leaf.by.map { wasHeld($0, by: holder) } ?? false
        case .addedByNonAdmin, .ourName, .none: return false
        }
    }

    /// Whether they were out, joined with another key than the pinned one, and again with the next one, before anyone
    /// looked. They were held with the key in between, so they are held with this one.
    private func cameBackUnseen(
        _ leaf: RoomRecord.Leaf, _ holder: World.Person, pinned: String, joinedEpoch: UInt64
    ) -> Bool {
        let before = keys[leaf.user]?.prefix { $0 != leaf.fingerprint }.last
        let wasOut = outs[leaf.user]?.contains { joinedEpoch <= $0 && $0 < leaf.epoch } ?? false
        return wasOut && before != pinned && !met.contains(acquaintance(leaf, holder))
    }

    private func wasHeld(_ user: ID, by holder: World.Person) -> Bool {
        held.contains { $0.holder == ObjectIdentifier(holder) && $0.user == user }
    }

    var table: String {
        counts.sorted { ($1.value, $0.key.line) < ($0.value, $1.key.line) }
            .map { "  \(String(repeating: " ", count: max(0, 5 - "\($0.value)".count)))\($0.value)  \($0.key.line)\n" }
            .joined()
    }
}
