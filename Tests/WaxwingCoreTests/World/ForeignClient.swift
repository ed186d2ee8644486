import ConclaveProtocol
import MLS

@testable import WaxwingCore

/// A member with the habits of other clients: it applies a commit before that is in the log and, if the commit does not
/// count, goes on along its own branch. It puts only the GroupInfo of its own commits on the server.
final class ForeignClient {
    let name: String
    private let id: ID
    private let group: ID
    private let crypto: any SuiteCrypto
    private var signer: SignaturePrivateKey
    private(set) var state: MLS.Group

    /// Takes over from a person, who does nothing any more.
    init(insteadOf person: World.Person, in name: String, _ world: World) throws {
        self.name = person.name
        id = person.id
        let record = try world.group(name, of: person)
        group = record.serverID!
        crypto = person.core.crypto
        signer = try crypto.signatureKey(raw: person.reader.account()!.signatureKey)
        let records = person.store.page(
            .groupState, from: record.id.bytes, below: Record.key(afterPrefix: record.id.bytes), limit: .max,
            descending: false)
        state = try MLS.Group.restore(
            records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: crypto,
            configuration: GroupConfiguration())
        world.people.removeAll { $0 === person }
    }

    /// Returns whether the server accepted the commit.
    @discardableResult
    func rotate(_ world: World) throws -> Bool {
        let staged = try state.commit(
            [], includePending: false, signer: signer, now: world.now.wall.seconds, entropy: world.entropy)
        try state.merge(staged)
        let call = Endpoint.uploadCommit(
            staged.message, groupInfo: staged.groupInfo ?? [], group: group, token: SessionToken(id.description))
        return world.server.answer(call.request).status == 200
    }

    /// Commits what it likes, and applies that at once.
    func commit(
        _ proposals: [Proposal], includePending: Bool = false, psks: [PreSharedKey] = [], _ world: World
    ) throws {
        let staged = try state.commit(
            proposals, includePending: includePending, psks: psks, signer: signer, now: world.now.wall.seconds,
            entropy: world.entropy)
        try state.merge(staged)
        let call = Endpoint.uploadCommit(
            staged.message, groupInfo: staged.groupInfo ?? [], group: group, token: SessionToken(id.description))
        _ = world.server.answer(call.request)
    }

    /// Proposes to add someone, and returns the message.
    func propose(adding keyPackage: KeyPackage, _ world: World) throws -> [UInt8] {
        let message = try state.propose(
            .add(keyPackage), signer: signer, now: world.now.wall.seconds, entropy: world.entropy)
        world.server.insert([message], from: id, into: group)
        return message
    }

    /// Commits a proposal that no one else has seen.
    func commitUnseen(_ proposal: Proposal, _ world: World) throws {
        _ = try state.propose(proposal, signer: signer, now: world.now.wall.seconds, entropy: world.entropy)
        try commit([], includePending: true, world)
    }

    /// Commits what another member has proposed, as many clients do without asking.
    func commit(proposed message: [UInt8], _ world: World) throws {
        if case .proposal(let proposal) = try state.process(message, now: nil) { try state.storeProposal(proposal) }
        let staged = try state.commit([], signer: signer, now: world.now.wall.seconds, entropy: world.entropy)
        try state.merge(staged)
        world.server.insert([staged.message], from: id, into: group)
    }

    /// Joins from outside by whatever GroupInfo the server has, with a new signature key. From then on only that state
    /// counts for it, whatever the server says.
    func reset(_ world: World) throws {
        signer = try crypto.generateSignatureKey(world.entropy)
        let staged = try MLS.Group.externalCommit(
            groupInfo: world.server.groups[group]?.groupInfo ?? [], credential: .basic(identity: id.bytes),
            signer: signer, removePrior: true, crypto: crypto, entropy: world.entropy)
        state = staged.next!
        let call = Endpoint.externalJoin(
            commit: staged.message, mlsGroupID: staged.groupID, group: group, token: SessionToken(id.description))
        _ = world.server.answer(call.request)
    }

    /// Puts the GroupInfo of its own branch on the server, without a commit.
    func putGroupInfo(_ world: World) throws {
        let info = try state.groupInfo(signer: signer)
        _ = world.server.answer(
            Endpoint.uploadCommit([], groupInfo: info, group: group, token: SessionToken(id.description)).request)
    }

    func send(_ text: String, _ world: World) throws {
        let message = try state.protect(
            Array(text.utf8), authenticatedData: [], signer: signer, entropy: world.entropy)
        _ = world.server.answer(
            Endpoint.sendMessage(message, group: group, token: SessionToken(id.description)).request)
    }
}
