import ConclaveProtocol
import MLS

@testable import WaxwingCore

/// Someone with a client of their own and the server's help: joins from outside under any id, and reads all they can.
final class Intruder {
    let id: ID
    private let crypto: any SuiteCrypto
    let signer: SignaturePrivateKey
    private let group: ID
    private var state: MLS.Group
    /// The rows of the log that were read.
    private var position: UInt64
    private(set) var texts: [String] = []

    /// - Parameters:
    ///   - id: under which they join.
    ///   - removes: whether they take the place of the leaf with that id.
    ///   - signer: the key they come with; a new one if nil.
    ///   - isLogged: whether the commit is in the log.
    init(
        as id: ID, removing removes: Bool = true, signer given: SignaturePrivateKey? = nil, isLogged: Bool = true,
        _ world: World
    ) throws {
        self.id = id
        let person = world.people[0]
        crypto = person.core.crypto
        signer = try given ?? crypto.generateSignatureKey(world.entropy)
        group = try world.group("room", of: person).serverID!
        let staged = try MLS.Group.externalCommit(
            groupInfo: world.server.groups[group]?.groupInfo ?? [], credential: .basic(identity: id.bytes),
            signer: signer, removePrior: removes, crypto: crypto, entropy: world.entropy)
        state = staged.next!
        if isLogged {
            position = world.server.append(staged.message, from: id, to: group)
        } else {
            position = world.server.groups[group]!.lastSequence
        }
    }

    /// Puts the GroupInfo of their own state on the server.
    func putGroupInfo(_ world: World) throws {
        world.server.groups[group]?.groupInfo = try state.groupInfo(signer: signer)
    }

    func send(_ text: String, _ world: World) throws {
        let message = try state.protect(
            Array(text.utf8), authenticatedData: [], signer: signer, entropy: world.entropy)
        world.server.insert([message], from: id, into: group)
    }

    /// Adds someone by a commit, as a member does.
    func commit(_ proposals: [Proposal], _ world: World) throws {
        let staged = try state.commit(
            proposals, includePending: false, signer: signer, now: world.now.wall.seconds, entropy: world.entropy)
        try state.merge(staged)
        position = world.server.append(staged.message, from: id, to: group)
    }

    /// Reads what is in the log since.
    func listen(_ world: World) {
        for row in world.server.groups[group]?.log ?? [] where row.sequence > position {
            position = row.sequence
            if let opened = try? state.unprotect(row.message) {
                texts.append(String(decoding: opened.plaintext, as: UTF8.self))
            } else if case .commit(let staged)? = try? state.process(row.message, now: nil) {
                try? state.merge(staged)
            }
        }
    }
}
