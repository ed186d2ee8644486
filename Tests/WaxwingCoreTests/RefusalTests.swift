import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What every member visibly refuses.
@Suite struct RefusalTests {
    enum Wrong: CaseIterable {
        case reInit, psk, identity, externalSenders

        /// What is said of it.
        var event: SystemEvent.Kind {
            switch self {
            case .reInit: .triedToReplaceGroup
            case .psk: .triedToNeedSecret
            case .identity: .triedToChange
            case .externalSenders: .triedToChangeSettings
            }
        }
    }

    /// What would end the group, shut members out or let in people who are no one is refused, and the group goes on.
    @Test(arguments: Wrong.allCases, [true, false])
    func whatAllRefuseIsRefused(_ wrong: Wrong, strict: Bool) throws {
        let world = try World.talking(305, ["alice", "bob", "mallory"], strict: strict)
        // The members judge by themselves.
        world.server.readsHandshakes = false
        let alice = world.people[0]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        switch wrong {
        case .reInit:
            try mallory.commit(
                [.reInit(ReInit(groupID: [1, 2], cipherSuite: alice.core.crypto.suite.identifier, extensions: []))],
                world)
        case .psk:
            let id = PreSharedKeyID(source: .external(id: [9]), nonce: world.entropy.bytes(64))
            try mallory.commit(
                [.preSharedKey(id)], psks: [PreSharedKey(source: id.source, secret: Secret([1, 2, 3]))], world)
        case .identity:
            let key = try alice.core.crypto.generateSignatureKey(world.entropy)
            try mallory.commit([.add(try world.keyPackage(Array("nobody".utf8), key))], world)
        case .externalSenders:
            let key = try alice.core.crypto.generateSignatureKey(world.entropy)
            let sender = ExternalSender(signatureKey: key.publicKey, credential: .basic(identity: [3]))
            var writer = TLSWriter()
            writer.writeVector([sender])
            try mallory.commit([.groupContextExtensions([Extension(.externalSenders, data: writer.bytes)])], world)
        }
        for person in world.people { try world.say("\(person.name) goes on", person) }
        try world.syncAll()
        for person in world.people {
            let texts = try world.texts("room", person).filter { $0.hasSuffix("goes on") }
            #expect(texts.count == 2, "\(wrong), \(person.name): \(world.report("room"))")
            #expect(try world.held(person).isEmpty)
            let lines = try world.lines("room", person)
            #expect(lines.contains { $0.contains(" \(wrong.event) ") }, "\(lines)")
        }
        try world.expectSameKeys("room")
    }

    /// Any member can put another's leaf on the outside of a sealed handshake (RFC 9420 §6.3.2): that makes no one come
    /// back with new keys.
    @Test func aSealedHandshakeInOurNameMovesNothing() throws {
        let world = try World.talking(312)
        let alice = world.people[0]
        let group = try world.group("room", of: alice)
        let records = alice.store.page(
            .groupState, from: group.id.bytes, below: Record.key(afterPrefix: group.id.bytes), limit: .max,
            descending: false)
        var configuration = GroupConfiguration.room
        configuration.handshakeEncryption = true
        var copy = try MLS.Group.restore(
            records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: alice.core.crypto,
            configuration: configuration)
        let key = try #require(try alice.reader.account()).signatureKey
        let signer = try alice.core.crypto.signatureKey(raw: key)
        let sealed = try copy.commit(
            [], includePending: false, signer: signer, now: world.now.wall.seconds, entropy: world.entropy
        ).message
        world.server.insert([sealed], from: world.people[1].id, into: try #require(group.serverID))
        try world.sync(alice)
        #expect(try world.group("room", of: alice).epoch == group.epoch)
        #expect(try alice.reader.outbox().isEmpty, "\(world.report("room"))")
        #expect(try world.lines("room", alice).last?.contains("unreadable forged") == true, "\(world.report("room"))")
    }

    /// A commit refers to a proposal that no one else has. No one can tell whether others have taken it, so all come
    /// back by it, one after the other.
    @Test(arguments: [true, false])
    func aProposalThatNoOneHasPartsNobody(strict: Bool) throws {
        let world = try World.talking(321, ["alice", "bob", "carol", "mallory"], strict: strict)
        world.server.readsHandshakes = false
        let mallory = try ForeignClient(insteadOf: world.people[3], in: "room", world)
        let key = try world.people[0].core.crypto.generateSignatureKey(world.entropy)
        try mallory.commitUnseen(.add(try world.keyPackage(world.server.register("dave").bytes, key)), world)
        for person in world.people { try world.say("\(person.name) goes on", person) }
        for _ in 0..<5 { try world.syncAll(rounds: 1) }
        // The people she has added are held.
        for person in world.people {
            for leaf in try world.held(person) {
                try world.perform(
                    .acceptMember(group: world.room(of: person), user: leaf.user, fingerprint: leaf.fingerprint), person
                )
            }
        }
        try world.syncAll()
        try world.expectSameKeys("room")
        for person in world.people {
            let texts = try world.texts("room", person).filter { $0.hasSuffix("goes on") }
            #expect(texts.count == 3, "\(person.name): \(world.report("room"))")
            #expect(try person.reader.outbox().isEmpty)
        }
    }
}
