import ConclaveProtocol
import MLS

@testable import WaxwingCore

/// A group `room`, and what people do there.
extension World {
    /// A room in which everyone has said something.
    static func talking(_ seed: UInt64, _ names: [String] = ["alice", "bob", "carol"], strict: Bool = false) throws
        -> World
    {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        for person in world.people { try world.say("\(person.name) was here", person) }
        try world.syncAll()
        return world
    }

    func room(of person: Person) throws -> ID { try group("room", of: person).id }

    /// Queues a message.
    func say(_ text: String, _ person: Person) throws {
        try perform(.send(group: room(of: person), text: text), person)
    }

    /// The members because of whom messages are held.
    func held(_ person: Person) throws -> [RoomRecord.Leaf] {
        try person.reader.room(room(of: person))?.holds ?? []
    }

    func keyPackage(_ identity: [UInt8], _ signer: SignaturePrivateKey) throws -> KeyPackage {
        try KeyPackageBundle.generate(
            crypto: people[0].core.crypto, identity: .basic(identity: identity), signer: signer,
            lifetime: Lifetime(notBefore: now.wall.seconds - 10, notAfter: now.wall.seconds + 100_000),
            entropy: entropy
        ).keyPackage
    }
}
