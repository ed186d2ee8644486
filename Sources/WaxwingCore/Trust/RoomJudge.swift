import ConclaveProtocol
import MLS

/// How an epoch was entered.
enum Entrance {
    /// By a commit of the log.
    ///
    /// - Parameter proposers: of new leaves, if that was not the committer.
    case commit(CommitChanges, committer: Member, proposers: [LeafIndex: LeafIndex])
    /// By a member's Welcome.
    case welcome(signer: Member?)
    /// By an external commit of our own.
    case outside

    var isCommit: Bool { if case .commit = self { true } else { false } }
}

/// How a key relates to what was seen of its user before, in any group.
enum KeyRelation: Hashable {
    case unknown
    case pinned
    /// Another one than the pinned key; contested if the pinned one came back after another had taken its place.
    case other(isVerified: Bool, isContested: Bool)

    init(_ fingerprint: String, of user: UserRecord?, isContested: Bool) {
        guard let user, !user.fingerprint.isEmpty else {
            self = .unknown
            return
        }
        if user.fingerprint == fingerprint {
            self = .pinned
        } else {
            self = .other(isVerified: user.verified, isContested: isContested)
        }
    }
}

extension KeyRelation {
    /// Whether people who want to be asked as little as possible (``TrustLevel/follow``) accept the key without being
    /// asked.
    var mayBeFollowed: Bool {
        switch self {
        case .unknown, .pinned: true
        case .other(let isVerified, let isContested): !isVerified && !isContested
        }
    }
}

/// Judges leaves that were not there before: how they came, and whether messages may reach them.
struct RoomJudge {
    let me: ID
    /// Before the entry.
    let room: RoomRecord
    /// The server's word; it may raise an objection but never removes one.
    let membership: MembershipRecord
    let level: TrustLevel
    let entrance: Entrance
    let ownKey: [UInt8]
    /// Pairs that a person has accepted on another branch of the group, which died.
    var decided: [RoomRecord.Leaf] = []
    /// Lines for what the row's own events do not tell.
    private(set) var events: [SystemEvent] = []

    init(
        me: ID, room: RoomRecord, membership: MembershipRecord, level: TrustLevel, entrance: Entrance, ownKey: [UInt8]
    ) {
        self.me = me
        self.room = room
        self.membership = membership
        self.level = level
        self.entrance = entrance
        self.ownKey = ownKey
    }

    /// A profile that was never in the group has nothing to compare with: it takes the word of the one who let us in
    /// for who is there.
    private var isFirstEntry: Bool { room.leaves.isEmpty }

    /// - Parameter digest: SHA-256 of the member's key.
    mutating func judge(
        _ member: Member, _ user: ID, digest: [UInt8], _ relation: KeyRelation, isOurs: Bool, epoch: UInt64,
        time: UInt64
    ) -> RoomRecord.Leaf {
        var leaf = RoomRecord.Leaf(
            index: member.index.value, user: user, key: member.signatureKey, digest: digest, way: .found, by: nil,
            standing: .accepted,
            objection: .none, epoch: epoch, since: time, isNew: true)
        if isOurs {
            if case .commit(let changes, _, _) = entrance, !changes.external { leaf.way = .founder }
            leaf.isNew = false
            return leaf
        }
        if user == me {
            object(.ourName, to: &leaf)
            events.append(leaf.line)
            return leaf
        }
        var isOwnWord = false
        switch entrance {
        case .commit(let changes, let committer, let proposers):
            isOwnWord = committer.signatureKey == ownKey
            cameByCommit(&leaf, relation, changes, committer, proposer: proposers[member.index])
        case .welcome(let signer):
            leaf.way = .vouchedFor
            leaf.by = signer.flatMap { ID($0.identity) }
            leaf.isNew = !isFirstEntry
            if !isFirstEntry, !isAccepted(signer) { object(.cameUnseen, to: &leaf) }
            object(to: relation, of: &leaf)
        case .outside:
            leaf.isNew = !isFirstEntry
            if !isFirstEntry {
                events.append(SystemEvent(.found, actor: me, subject: user))
                object(.cameUnseen, to: &leaf)
            }
            object(to: relation, of: &leaf)
        }
        apply(relation, to: &leaf, isOwnWord: isOwnWord)
        if decided.contains(where: { $0.user == user && $0.key == leaf.key }) { leaf.accept() }
        tell(of: leaf)
        return leaf
    }

    private mutating func cameByCommit(
        _ leaf: inout RoomRecord.Leaf, _ relation: KeyRelation, _ changes: CommitChanges, _ committer: Member,
        proposer: LeafIndex?
    ) {
        let user = leaf.user
        if changes.external, committer.index.value == leaf.index {
            if let old = changes.removed.first(where: { $0.identity == user.bytes }) {
                leaf.way = .replaced
                events.append(SystemEvent(.deviceReplaced, actor: user))
                // Someone who was held is also held with another key, unless it is the known one.
                if let before = room.leaves.first(where: { $0.user == user && $0.key == old.signatureKey }),
                    before.standing == .held, before.objection.isAboutTheWay || relation != .pinned
                {
                    object(before.objection, to: &leaf)
                }
                switch relation {
                case .pinned: break
                case .unknown, .other(false, false):
                    if leaf.standing == .accepted { leaf.tellFirst(because: .otherKey) }
                case .other: object(to: relation, of: &leaf)
                }
            } else {
                leaf.way = .external
                leaf.by = room.awaited.first { $0.user == user && $0.key == leaf.key }?.by
                if leaf.by == nil, relation.mayBeFollowed, level == .follow {
                    // Some clients join with another key than the one that was invited.
                    leaf.by = room.awaited.first { $0.user == user }?.by
                }
                if leaf.by == nil { object(.stranger, to: &leaf) }
                object(to: relation, of: &leaf)
            }
            return
        }
        let index = leaf.index
        if !changes.added.contains(where: { $0.index.value == index }),
            let before = room.leaves.first(where: { $0.index == index && $0.user == user })
        {
            // The holder of the old key has signed the new one.
            leaf.way = .keyChanged
            leaf.standing = before.standing
            leaf.objection = before.objection
            leaf.isNew = before.isNew
            events.append(SystemEvent(.keyChanged, actor: user))
            return
        }
        leaf.way = .added
        leaf.by = ID(committer.identity)
        // What is wrong with the way comes first: another's word for the key does not mend it.
        let isOwn = committer.signatureKey == ownKey
        if !isOwn { answer(for: &leaf, standing(of: committer)) }
        if let proposer {
            // Some clients commit whatever was proposed: then it is the proposer's doing.
            let author = room.leaves.first { $0.index == proposer.value }
            leaf.by = author?.user ?? leaf.by
            answer(for: &leaf, author?.standing ?? .held)
        }
        object(to: relation, of: &leaf)
        if isOwn { return }
        // What we knew of the roster may be older than their being an admin.
        let isOpen = leaf.standing == .accepted || leaf.standing == .untold
        if isOpen, !membership.admins.contains(where: { $0 == leaf.by }) {
            (leaf.standing, leaf.objection) = (.unjudged, .none)
        }
    }

    /// Applies the level.
    private func apply(_ relation: KeyRelation, to leaf: inout RoomRecord.Leaf, isOwnWord: Bool) {
        switch level {
        case .usual: break
        case .follow:
            // If nothing speaks against the way they joined.
            if leaf.objection == .otherKey, leaf.way != .keyChanged, relation.mayBeFollowed { leaf.accept() }
        case .strict:
            let isSettled = leaf.standing == .held || isOwnWord || leaf.way == .keyChanged && leaf.standing == .accepted
            if !isSettled { leaf.hold(for: .everyNewKey) }
        }
    }

    private mutating func tell(of leaf: RoomRecord.Leaf) {
        if leaf.standing == .held, leaf.way != .keyChanged { events.append(leaf.line) }
    }

    private func standing(of member: Member) -> RoomRecord.Standing {
        room.standing(of: member) ?? .held
    }

    /// Someone's standing passes on to those they add: people are told of both, or decide about both.
    private func answer(for leaf: inout RoomRecord.Leaf, _ adder: RoomRecord.Standing) {
        switch adder {
        case .accepted: break
        case .untold:
            if leaf.standing == .accepted { leaf.tellFirst(because: .addedByUnaccepted) }
        case .unjudged, .held: object(.addedByUnaccepted, to: &leaf)
        }
    }

    private func isAccepted(_ member: Member?) -> Bool {
        member.map { standing(of: $0) } == .accepted
    }

    private func object(_ objection: RoomRecord.Objection, to leaf: inout RoomRecord.Leaf) {
        if leaf.standing != .held { leaf.hold(for: objection) }
    }

    private func object(to relation: KeyRelation, of leaf: inout RoomRecord.Leaf) {
        guard case .other(let isVerified, _) = relation else { return }
        object(isVerified ? .notTheVerifiedKey : .otherKey, to: &leaf)
    }
}

extension RoomRecord.Leaf {
    /// What people are told of a member who is held.
    var line: SystemEvent {
        let kind: SystemEvent.Kind =
            switch objection {
            case .stranger, .cameUnseen, .none: .heldAsStranger
            case .otherKey, .notTheVerifiedKey, .everyNewKey: .heldForKey
            case .addedByNonAdmin, .addedByUnaccepted: .heldForAdder
            case .ourName: .ourNameTaken
            }
        return SystemEvent(kind, actor: by ?? user, subject: user)
    }
}

extension RoomRecord.Objection {
    /// Whether it is about how someone joined, and not about their key.
    var isAboutTheWay: Bool {
        switch self {
        case .stranger, .cameUnseen, .addedByNonAdmin, .addedByUnaccepted, .ourName: true
        case .none, .otherKey, .notTheVerifiedKey, .everyNewKey: false
        }
    }
}
