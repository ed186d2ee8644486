import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What each level makes of someone who comes late, by an invite that has died.
@Suite struct JudgeTests {
    private static let (alice, carol) = (id(1), id(3))

    private static func id(_ number: UInt8) -> ID { ID(Array(repeating: number, count: 16))! }

    /// How the key they come with relates to the one that was invited.
    enum Invited: CaseIterable { case thisKey, anotherKey, never }

    private struct Verdict: Equatable, CustomStringConvertible {
        var standing: RoomRecord.Standing
        var objection: RoomRecord.Objection
        var description: String { "\(standing), \(objection)" }

        static let accepted = Verdict(standing: .accepted, objection: .none)
        static func held(_ objection: RoomRecord.Objection) -> Verdict {
            Verdict(standing: .held, objection: objection)
        }
    }

    /// Carol joins from outside.
    private func verdict(
        _ level: TrustLevel, _ invited: Invited, _ relation: KeyRelation, isDecided: Bool = false
    ) throws -> Verdict {
        let (carol, key) = (Self.carol, [UInt8](repeating: 9, count: 57))
        var room = RoomRecord()
        room.leaves = [leaf(Self.alice, key: [1])]
        switch invited {
        case .thisKey: room.noteAwaited(carol, key: key, digest: [9], by: Self.alice, epoch: 4)
        case .anotherKey: room.noteAwaited(carol, key: [8], digest: [8], by: Self.alice, epoch: 4)
        case .never: break
        }
        let member = Member(index: LeafIndex(2), credential: .basic(identity: carol.bytes), signatureKey: key)
        var changes = CommitChanges()
        (changes.external, changes.added) = (true, [member])
        var judge = RoomJudge(
            me: Self.id(2), room: room, membership: MembershipRecord(), level: level,
            entrance: .commit(changes, committer: member, proposers: [:]), ownKey: [2])
        if isDecided { judge.decided = [leaf(carol, key: key)] }
        let leaf = judge.judge(member, carol, digest: [9], relation, isOurs: false, epoch: 6, time: 0)
        #expect(judge.events.isEmpty == (leaf.standing == .accepted), "who is held is shown so")
        return Verdict(standing: leaf.standing, objection: leaf.objection)
    }

    private func leaf(_ user: ID, key: [UInt8]) -> RoomRecord.Leaf {
        RoomRecord.Leaf(
            index: 0, user: user, key: key, digest: [1], way: .added, by: nil, standing: .accepted, objection: .none,
            epoch: 1, since: 0, isNew: false)
    }

    private static let seen = KeyRelation.other(isVerified: false, isContested: false)
    private static let verified = KeyRelation.other(isVerified: true, isContested: false)
    private static let contested = KeyRelation.other(isVerified: false, isContested: true)

    @Test func aDeadInviteCarriesTheKeyItWasMadeFor() throws {
        let expected: [(TrustLevel, KeyRelation, Verdict)] = [
            (.usual, .unknown, .accepted), (.usual, .pinned, .accepted), (.usual, Self.seen, .held(.otherKey)),
            (.usual, Self.verified, .held(.notTheVerifiedKey)), (.usual, Self.contested, .held(.otherKey)),
            (.follow, .unknown, .accepted), (.follow, .pinned, .accepted), (.follow, Self.seen, .accepted),
            (.follow, Self.verified, .held(.notTheVerifiedKey)), (.follow, Self.contested, .held(.otherKey)),
            (.strict, .unknown, .held(.everyNewKey)), (.strict, Self.seen, .held(.otherKey)),
        ]
        for (level, relation, verdict) in expected {
            #expect(try self.verdict(level, .thisKey, relation) == verdict, "\(level), \(relation)")
        }
    }

    /// Some clients join with another key than the one that was invited: programs that no one watches go on, people are
    /// asked.
    @Test func whoWasInvitedWithAnotherKeyIsFollowed() throws {
        for relation in [KeyRelation.unknown, .pinned, Self.seen] {
            #expect(try verdict(.follow, .anotherKey, relation) == .accepted, "\(relation)")
            #expect(try verdict(.usual, .anotherKey, relation) == .held(.stranger), "\(relation)")
        }
        for relation in [Self.verified, Self.contested] {
            #expect(try verdict(.follow, .anotherKey, relation) == .held(.stranger), "\(relation)")
        }
    }

    @Test(arguments: TrustLevel.allCases) func whoWasNeverInvitedIsAStranger(_ level: TrustLevel) throws {
        for relation in [KeyRelation.unknown, .pinned, Self.seen, Self.verified, Self.contested] {
            #expect(try verdict(level, .never, relation) == .held(.stranger), "\(relation)")
            #expect(try verdict(level, .never, relation, isDecided: true) == .accepted, "a person has said yes to them")
        }
    }

    /// Dave joined after carol's invite had been made, and cannot read its commit. The inviter's word places her; those
    /// who ask about every new key are asked about hers.
    @Test(arguments: TrustLevel.allCases, [true, false])
    func anInvitersWordIsNoneForTheKey(_ level: TrustLevel, strict: Bool) throws {
        let world = World(seed: 530, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let alice = world.people[0]
        let room = try world.group("room", of: alice).id
        let (carol, dave) = (try world.add("carol"), try world.add("dave"))
        for person in [carol, dave] {
            try world.sync(person)
            try world.perform(.invite(group: room, username: person.name), alice)
        }
        try world.perform(.trust(level, group: nil), dave)
        try world.sync(alice)
        for person in [carol, dave] { try world.sync(person) }
        for person in [dave, carol] {
            try world.perform(.accept(invite: try #require(try person.reader.invites().first).id), person)
            try world.sync(person)
            // Dave looks at those whom he does not know himself.
            let place = try world.group("room", of: person).id
            for leaf in try person.reader.room(place)?.holds ?? [] where person === dave {
                try world.perform(
                    .acceptMember(group: place, user: leaf.user, fingerprint: leaf.fingerprint), person)
            }
        }
        for _ in 0..<3 { for person in [dave, carol, alice] { try world.sync(person) } }
        let leaf = try #require(try dave.reader.room(world.group("room", of: dave).id)?.leaf(of: carol.id))
        #expect(leaf.way == .external && leaf.by == alice.id, "\(world.report("room"))")
        #expect(leaf.standing == (level == .strict ? .held : .accepted), "\(leaf.objection)")
        #expect(leaf.objection == (level == .strict ? .everyNewKey : .none))
    }

    /// Which members someone has decided about on a branch that died, or was told of, is known after it. Nothing else
    /// of it is.
    @Test func whatWasDecidedOnADeadBranchHolds() throws {
        let world = try World.talking(531, ["alice"])
        let core = world.people[0].core
        var turn = Turn(draft: Draft(store: core.store, base: core.revision), now: world.now)
        let group = try world.room(of: world.people[0])
        var before = RoomRecord()
        before.leaves = [UInt8](1...4).map { number in
            var leaf = leaf(Self.id(number), key: [number])
            (leaf.index, leaf.digest) = (UInt32(number), Array(repeating: number, count: 32))
            if number == 2 { leaf.tellFirst(because: .otherKey) } else { leaf.hold(for: .everyNewKey) }
            return leaf
        }
        turn.draft.put(.membership, Keys.roomBefore(group), before)
        var dead = before
        // 1 was decided about, and 2 was told of; 3 joined again there, and was let in by someone; 4 is held there,
        // too.
        for place in 0...2 { dead.leaves[place].accept() }
        dead.leaves[0].epoch = 9
        dead.leaves[2].epoch = 9
        try turn.draft.put(dead, for: group)
        var decided = RoomRecord()
        decided.leaves = [dead.leaves[0]]
        turn.draft.put(.membership, Keys.decided(group), decided)
        try core.settleRoom(of: group, isLiving: false, &turn)
        let leaves = try #require(try turn.draft.room(group)).leaves
        #expect(leaves.map(\.standing) == [.accepted, .accepted, .held, .held])
        #expect(leaves.map(\.epoch) == [1, 1, 1, 1])
    }
}
