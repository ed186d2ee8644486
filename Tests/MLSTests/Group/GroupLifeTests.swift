import MLS
import Testing

@testable import struct MLS.Group

/// Long random lives of a group. After every change the records reported by the journal are the group's, and a group
/// restored from them does what the living one does. Most clients go on as the restored one, the first as it is.
struct GroupLifeTests {
    @Test(arguments: [(1, 60), (2, 20), (3, 20), (4, 8), (5, 8), (6, 12), (7, 8)] as [(UInt16, Int)])
    func aLongRandomLifeKeepsAllMembersTogether(number: UInt16, steps: Int) throws {
        try RandomLife(suite: number, seed: UInt64(number) * 1000 + 7).run(steps: steps)
    }

    @Test(arguments: allSuites)
    func everySuiteCarriesAWholeLife(number: UInt16) throws {
        var world = try World(suite: number, members: 3)
        try world.expectAgreement()
        let message = try world.protect("hello", by: 1)
        for reader in [0, 2] {
            let opened = try world.unprotect(message, by: reader)
            #expect(opened.plaintext == Array("hello".utf8))
            #expect(opened.sender == world.clients[1].group.ownMember)
        }
        let removed = world.clients[0].group.ownLeaf
        try world.deliver(try world.commit([.remove(removed)], by: 2), from: 2)
        #expect(world.clients.count == 2)
        try world.expectAgreement()
    }

    @Test func aGroupOfOneCommitsByItself() throws {
        var world = try World(members: 1)
        for _ in 0..<3 { try world.deliver(try world.commit([], by: 0), from: 0) }
        #expect(world.clients[0].group.epoch == 3)
        try world.add(2, by: 0, forcePath: false)
        try world.expectAgreement()
    }
}

/// One random life: a seed decides all of it.
private struct RandomLife {
    private var world: World
    private let random: SeededEntropy
    /// Messages on their way, each with its reader's name and what must come out.
    private var mail: [(reader: String, message: [UInt8], text: String, sender: String)] = []
    private var sent = 0
    /// The key of the group's external sender.
    private let service: SignaturePrivateKey

    init(suite: UInt16, seed: UInt64) throws {
        service = try MLSTests.suite(suite).generateSignatureKey(SeededEntropy(seed: seed + 2))
        let sender = ExternalSender(signatureKey: service.publicKey, credential: .basic(identity: [1]))
        world = try World(suite: suite, seed: seed, members: 2, extensions: [.externalSenders([sender])])
        world.clients[0].isRestored = false
        random = SeededEntropy(seed: seed + 1)
    }

    consuming func run(steps: Int) throws {
        for _ in 0..<steps {
            for index in world.clients.indices {
                world.clients[index].group.configuration.handshakeEncryption = random.below(2) == 0
                world.clients[index].group.configuration.acceptsNewMemberProposals = true
            }
            let author = random.below(world.clients.count)
            switch random.below(12) {
            case 0...3: try send(author)
            case 4: try add(author)
            case 5: try remove(author)
            case 6: try commitProposals(author)
            case 7: try joinExternally()
            case 8: try commitFromOutside(author)
            case 9: try proposePSK(author)
            case 10: try world.deliver(try world.commit([], by: author), from: author)
            default: try commitPSK(author)
            }
            try deliverSomeMail()
            try world.expectAgreement()
            try expectRestoredEqual(world.clients[random.below(world.clients.count)])
        }
        try deliverMail(Array(mail.indices))
    }

    /// A restored group makes the same bytes as the one it was stored from, and reads what that one reads.
    private func expectRestoredEqual(_ client: Client) throws {
        let restored = try Group.restore(
            client.records.map { ($0.key, $0.value) }, crypto: world.crypto, configuration: client.group.configuration)
        #expect(restored.epochAuthenticator == client.group.epochAuthenticator)
        #expect(restored.groupContext == client.group.groupContext && restored.members == client.group.members)
        let author = try #require(world.clients.first { $0.name != client.name })
        var sender = author.group
        let message = try sender.protect([1], signer: author.signer, entropy: SeededEntropy(seed: 3))
        let commit = try sender.commit([], signer: author.signer, now: nil, entropy: SeededEntropy(seed: 3)).message
        func behaviour(_ group: Group) throws -> [[UInt8]] {
            let entropy = SeededEntropy(seed: 4)
            var group = group
            let opened = try group.unprotect(message)
            let sealed = try group.protect([2], signer: client.signer, entropy: entropy)
            let proposal = try group.proposeUpdate(signer: client.signer, entropy: entropy)
            let staged = try group.commit([], signer: client.signer, now: nil, entropy: entropy)
            var next = group
            guard case .commit(let theirs) = try next.process(commit, now: nil) else { return [] }
            try next.merge(theirs)
            try group.merge(staged)
            let received = [opened.plaintext, theirs.serialized()] + next.records().map(\.value)
            // ECDSA draws randomness of its own.
            if [2, 5, 7].contains(group.suite.rawValue) { return received }
            return received + [sealed, proposal, staged.serialized()] + group.records().map(\.value)
        }
        #expect(try behaviour(client.group) == behaviour(restored))
    }

    private mutating func send(_ author: Int) throws {
        for _ in 0...random.below(4) {
            sent += 1
            let text = "message \(sent)"
            let message = try world.protect(text, by: author)
            for client in world.clients where client.name != world.clients[author].name {
                mail.append((client.name, message, text, world.clients[author].name))
            }
            expectError(.ownMessage) { [world] in
                var group = world.clients[author].group
                return try group.unprotect(message)
            }
        }
    }

    /// In any order, some of it much later.
    private mutating func deliverSomeMail() throws {
        try deliverMail(mail.indices.filter { _ in random.below(3) == 0 }.shuffled(by: random))
        // What would fall out of the window goes now.
        let epoch = world.clients[0].group.epoch
        let late = try mail.indices.filter { index in
            try #require(MLSMessage.summary(of: mail[index].message).epoch) + UInt64(Limits.pastEpochs) <= epoch + 2
        }
        try deliverMail(late)
    }

    private mutating func deliverMail(_ indices: [Int]) throws {
        for index in indices {
            let (name, message, text, sender) = mail[index]
            guard let reader = world.clients.firstIndex(where: { $0.name == name }) else { continue }
            let opened = try world.unprotect(message, by: reader)
            #expect(opened.plaintext == Array(text.utf8))
            #expect(opened.authenticatedData == Array("data".utf8))
            #expect(opened.sender.identity == Array(sender.utf8))
            expectError(.generationReused) { [world] in
                var group = world.clients[reader].group
                return try group.unprotect(message)
            }
        }
        mail = mail.enumerated().filter { !indices.contains($0.offset) }.map(\.element)
    }

    private mutating func add(_ author: Int) throws {
        if world.clients.count > 9 { return try remove(author) }
        try world.add(1 + random.below(2), by: author, forcePath: random.below(2) == 0)
    }

    private mutating func remove(_ author: Int) throws {
        if world.clients.count < 4 { return try world.add(1, by: author) }
        let target = (author + 1 + random.below(world.clients.count - 1)) % world.clients.count
        try world.deliver(
            try world.commit([.remove(world.clients[target].group.ownLeaf)], by: author), from: author)
    }

    /// Others propose, the author commits by reference.
    private mutating func commitProposals(_ author: Int) throws {
        var newcomers: [(name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle)] = []
        for proposer in world.clients.indices where proposer != author && random.below(2) == 0 {
            let message: [UInt8]
            if random.below(3) == 0 {
                newcomers.append(try world.newBundle())
                message = try world.clients[proposer].group.propose(
                    .add(newcomers[newcomers.count - 1].bundle.keyPackage), signer: world.clients[proposer].signer,
                    now: World.now, entropy: world.entropy)
            } else {
                message = try world.clients[proposer].group.proposeUpdate(
                    signer: world.clients[proposer].signer, entropy: world.entropy)
            }
            try world.clients[proposer].store()
            for reader in world.clients.indices where reader != proposer {
                guard
                    case .proposal(let pending) = try world.clients[reader].group.process(message, now: World.now)
                else { throw MLSError(.malformed, "not a proposal") }
                try world.clients[reader].group.storeProposal(pending)
                try world.clients[reader].store()
            }
        }
        let count = world.clients[author].group.pendingProposals.count
        let staged = try world.commit([], by: author)
        #expect(staged.changes.added.count == newcomers.count)
        #expect(staged.changes.updated.count == count - newcomers.count + 1)
        try world.deliver(staged, from: author)
        if !newcomers.isEmpty { try world.welcome(newcomers, staged) }
    }

    private mutating func joinExternally() throws {
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer)
        let resync = random.below(2) == 0
        let (name, signer) =
            resync
            ? (world.clients[1].name, try world.crypto.generateSignatureKey(world.entropy))
            : try world.newIdentity()
        let staged = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: Array(name.utf8)), signer: signer, removePrior: resync,
            crypto: world.crypto, entropy: world.entropy)
        #expect(staged.changes.external)
        #expect(staged.changes.removed.count == (resync ? 1 : 0))
        // Someone who is replaced reads no further mail under the old name.
        if resync { mail.removeAll { $0.reader == name } }
        try world.deliver(staged, from: nil)
        world.clients.append(try Client(name: name, signer: signer, group: try #require(staged.next)))
    }

    /// A stranger and a service propose, the author commits by reference.
    private mutating func commitFromOutside(_ author: Int) throws {
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer, inlineTree: false)
        let newcomer = try world.newBundle()
        try world.deliverProposal(
            try Group.newMemberProposal(
                newcomer.bundle.keyPackage, groupInfo: info, signer: newcomer.signer, crypto: world.crypto,
                now: World.now),
            from: nil)
        var removed: [LeafIndex] = []
        if world.clients.count > 3 {
            removed = [world.clients[(author + 1) % world.clients.count].group.ownLeaf]
            try world.deliverProposal(
                try Group.externalProposal(
                    .remove(removed[0]), groupInfo: info, signer: service, crypto: world.crypto, now: World.now),
                from: nil)
        }
        let staged = try world.commit([], by: author, forcePath: false)
        #expect(staged.changes.removed.map(\.index) == removed && staged.changes.added.count == 1)
        try world.deliver(staged, from: author)
        try world.welcome([newcomer], staged)
    }

    /// PSKs of past epochs by reference.
    private mutating func proposePSK(_ author: Int) throws {
        let group = world.clients[author].group
        // The one epoch that all have certainly been in.
        let source = PSKSource.resumption(.application, groupID: group.groupID, epoch: group.epoch)
        for proposer in world.clients.indices where random.below(2) == 0 {
            let id = PreSharedKeyID(source: source, suite: world.crypto.suite, entropy: world.entropy)
            try world.propose(.preSharedKey(id), by: proposer)
        }
        let pending = world.clients[author].group.pendingProposals.count
        let staged = try world.commit([], by: author, forcePath: false)
        #expect(staged.changes.pskCount == pending)
        try world.deliver(staged, from: author)
    }

    private mutating func commitPSK(_ author: Int) throws {
        let source: PSKSource =
            random.below(2) == 0
            ? .external(id: [9, 9])
            : .resumption(
                .application, groupID: world.clients[author].group.groupID, epoch: world.clients[author].group.epoch)
        let psks = [PreSharedKey(source: .external(id: [9, 9]), secret: Secret([1, 2, 3]))]
        let id = PreSharedKeyID(source: source, nonce: world.entropy.bytes(world.crypto.suite.hashLength))
        let staged = try world.commit([.preSharedKey(id)], by: author, forcePath: false, psks: psks)
        #expect(staged.changes.pskCount == 1 && !staged.changes.pathUpdated)
        try world.deliver(staged, from: author, psks: psks)
    }
}

extension Array {
    fileprivate func shuffled(by random: SeededEntropy) -> [Element] {
        var result = self
        for index in indices.dropFirst() { result.swapAt(index, random.below(index + 1)) }
        return result
    }
}
