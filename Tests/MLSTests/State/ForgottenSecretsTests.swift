import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §9.2: what has been used, and what belongs to an epoch that is over, is nowhere in the stored state.
///
/// Every secret that anyone has made is on record; after every step, the stored bytes are searched for all of them.
struct ForgottenSecretsTests {
    @Test(arguments: [(1, 5), (2, 3)] as [(UInt16, Int)])
    func nothingOutlivesItsUse(number: UInt16, rounds: Int) throws {
        var world = try RecordedWorld(suite: number, members: 3, window: 2)
        for round in 0..<rounds {
            let author = round % world.world.clients.count
            try world.exchangeMessages()
            try world.step { world in
                // Staged and dropped.
                _ = try world.commit([], by: author)
                _ = try world.commit([.remove(world.clients[author == 0 ? 1 : 0].group.ownLeaf)], by: author)
            }
            try world.step { world in try world.proposeUpdates(butBy: author) }
            switch round % 5 {
            case 0: try world.commit([], by: author)
            case 1: try world.step { world in try world.add(1, by: author, forcePath: round % 2 == 0) }
            case 2: try world.commit([], by: author, encrypted: true)
            case 3: try world.step { world in try world.joinExternally(replacing: 1) }
            default:
                let other = world.world.clients[(author + 1) % world.world.clients.count].group.ownLeaf
                try world.commit([.remove(other)], by: author, encrypted: true)
            }
        }
    }

    @Test func whatComesLateOrLosesBringsNothingBack() throws {
        var world = try RecordedWorld(suite: 1, members: 4, window: 2)
        for author in 0..<3 {
            // No one has heard from the fourth in this epoch.
            let late = try world.world.protect("late", by: 3)
            try world.commitAgainstARival(by: author, rival: (author + 1) % 3)
            try world.step { world in
                for reader in 0..<3 { _ = try world.unprotect(late, by: reader) }
            }
        }
    }

    @Test func aCommitThatCameSealedLeavesNoKeyThatOpensIt() throws {
        for spokeBefore in [false, true] {
            var world = try World(members: 3)
            world.clients[1].group.configuration.handshakeEncryption = true
            if spokeBefore { _ = try world.unprotect(try world.protect("hello", by: 1), by: 0) }
            let staged = try world.commit([], by: 1)
            try world.deliver(staged, from: 1)
            // The tree of the epoch that is over gives out no key of a used generation.
            let past = try #require(world.clients[0].group.pastEpochs.last)
            expectError(.generationReused) {
                try past.messageKeys.secretTree.key(
                    for: .init(leaf: LeafIndex(1), kind: .handshake), generation: 0, crypto: world.crypto)
            }
        }
    }

    @Test func whoHasBeenRemovedKeepsNothingThatMovesOn() throws {
        var world = try RecordedWorld(suite: 1, members: 3, window: 2)
        try world.exchangeMessages()
        let staged = try world.world.commit([.remove(LeafIndex(2))], by: 0)
        guard case .commit(let theirs) = try world.world.clients[2].group.process(staged.message, now: World.now)
        else { throw MLSError(.malformed, "not a commit") }
        try world.world.clients[2].merge(theirs)
        let stored = StoredBytes(world.world.clients[2])
        for record in world.crypto.records {
            switch record.kind {
            case .derived("sender data"), .derived("resumption"), .derived("authentication"), .derived("tree"),
                .derived("encryption"), .derived("handshake"), .derived("application"), .derived("secret"),
                .derived("key"), .derived("nonce"):
                continue
            case .derived, .privateKey, .unsealed: #expect(!stored.contains(record.bytes), "\(record.kind)")
            }
        }
    }
}

/// A world whose suite keeps a record of all secrets, and that searches the stored state of all clients after each
/// step.
private struct RecordedWorld {
    let crypto: RecordingCrypto
    var world: World
    /// How many secrets were on record when each epoch ended.
    private var endings: [UInt64: Int] = [:]
    private let window: Int

    init(suite number: UInt16, members: Int, window: Int) throws {
        crypto = RecordingCrypto(try suite(number))
        self.window = window
        world = try World(crypto: crypto, members: members)
        for index in world.clients.indices { world.clients[index].group.configuration.pastEpochs = window }
    }

    private var epoch: UInt64 { world.clients[0].group.epoch }

    mutating func step(_ body: (inout World) throws -> Void) throws {
        let (before, known) = (epoch, crypto.records.count)
        try body(&world)
        if epoch != before { endings[before] = known }
        for index in world.clients.indices { world.clients[index].group.configuration.pastEpochs = window }
        let records = crypto.records
        for client in world.clients { check(client, records) }
    }

    mutating func commit(_ proposals: [Proposal], by author: Int, encrypted: Bool = false) throws {
        try step { world in
            world.clients[author].group.configuration.handshakeEncryption = encrypted
            defer { world.clients[author].group.configuration.handshakeEncryption = false }
            try world.deliver(try world.commit(proposals, by: author), from: author)
        }
    }

    /// Two sealed commits, of which the others merge the first; then they hear of what they already know.
    mutating func commitAgainstARival(by author: Int, rival: Int) throws {
        try step { world in
            for index in [author, rival] { world.clients[index].group.configuration.handshakeEncryption = true }
            let staged = try world.commit([], by: author)
            let loser = try world.commit([], by: rival)
            for index in [author, rival] { world.clients[index].group.configuration.handshakeEncryption = false }
            for index in world.clients.indices where index != rival && index != author {
                guard case .commit(let theirs) = try world.clients[index].group.process(loser.message, now: nil) else {
                    throw MLSError(.malformed, "not a commit")
                }
                // It makes no difference whether that is before the epoch ends or after.
                if index % 2 == 0 { world.clients[index].group.discard(theirs) }
            }
            let losers = world.clients.map { try? $0.group.process(loser.message, now: nil) }
            try world.deliver(staged, from: author)
            for (index, incoming) in losers.enumerated() {
                guard case .commit(let theirs)? = incoming else { continue }
                world.clients[index].group.discard(theirs)
                try world.clients[index].store()
            }
        }
    }

    /// Everyone speaks; everyone reads out of order, and leaves one message unread.
    mutating func exchangeMessages() throws {
        for author in world.clients.indices {
            var start = crypto.records.count
            let messages = try (0..<4).map { try world.protect("message \($0)", by: author) }
            expectStored(0, [.derived("key"), .derived("nonce")], since: start, by: world.clients[author])
            for reader in world.clients.indices where reader != author {
                start = crypto.records.count
                for index in [2, 0, 3] { _ = try world.unprotect(messages[index], by: reader) }
                // The second message is still to come; the ratchet is past the last.
                expectStored(1, [.derived("key")], since: start, by: world.clients[reader])
                expectStored(1, [.derived("nonce")], since: start, by: world.clients[reader])
                expectStored(1, [.derived("secret")], since: start, by: world.clients[reader])
                expectStored(0, [.derived("application")], since: start, by: world.clients[reader])
            }
        }
        try step { _ in }
    }

    /// How many of the secrets of some kinds made since a moment are stored.
    private func expectStored(
        _ count: Int, _ kinds: Set<RecordingCrypto.Record.Kind>, since start: Int, by client: Client
    ) {
        let made = crypto.records[start...].filter { kinds.contains($0.kind) }
        #expect(made.count > count)
        let stored = StoredBytes(client)
        let found = made.filter { stored.contains($0.bytes) }.count
        #expect(found == count, "\(found) of \(kinds) are stored by \(client.name)")
    }

    /// What may be stored, by what it is for. Everything else must be nowhere.
    private func check(_ client: Client, _ records: [RecordingCrypto.Record]) {
        let stored = StoredBytes(client)
        let group = client.group
        for past in group.pastEpochs {
            // No one opens a handshake message once its epoch is over.
            let tree = past.messageKeys.secretTree
            #expect(!tree.ratchets.keys.contains { $0.kind == .handshake })
            #expect(!tree.skipped.keys.contains { $0.kind == .handshake })
        }
        let present = group.epoch == 0 ? 0 : endings[group.epoch - 1] ?? 0
        let inWindow = group.epoch <= UInt64(window) ? 0 : endings[group.epoch - UInt64(window) - 1] ?? 0
        for (number, record) in records.enumerated() where stored.contains(record.bytes) {
            let allowed: Bool
            switch record.kind {
            case .derived("exporter"), .derived("external"), .derived("confirm"), .derived("membership"),
                .derived("init"), .derived("authentication"):
                allowed = number >= present
            case .derived("sender data"), .derived("resumption"), .derived("encryption"), .derived("tree"),
                .derived("handshake"), .derived("application"), .derived("secret"), .derived("key"),
                .derived("nonce"):
                allowed = number >= inWindow
            case .privateKey(let publicKey):
                let own = [group.ownLeaf.node] + group.current.tree.size.directPath(of: group.ownLeaf.node)
                allowed =
                    own.contains { group.current.tree[$0]?.encryptionKey == publicKey }
                    || group.pendingProposals.contains { $0.updateKey?.publicKey == publicKey }
            case .derived, .unsealed: allowed = false
            }
            #expect(allowed, "\(record.kind), number \(number) of \(records.count), in the state of \(client.name)")
        }
    }
}

/// What a client has stored, ready to be searched for many secrets.
private struct StoredBytes {
    private let values: [[UInt8]]
    /// Every eight adjacent bytes.
    private let windows: Set<UInt64>

    init(_ client: Client) {
        values = Array(client.records.values)
        var windows: Set<UInt64> = []
        windows.reserveCapacity(values.reduce(0) { $0 + $1.count })
        for value in values {
            value.withUnsafeBytes { bytes in
                for start in stride(from: 0, through: bytes.count - 8, by: 1) {
                    windows.insert(bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                }
            }
        }
        self.windows = windows
    }

    func contains(_ secret: [UInt8]) -> Bool {
        guard secret.count >= 8 else { return false }
        let window = secret.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        return windows.contains(window) && values.contains { $0.contains(secret) }
    }
}

extension World {
    fileprivate mutating func proposeUpdates(butBy author: Int) throws {
        for index in clients.indices where index != author {
            let message = try clients[index].group.proposeUpdate(signer: clients[index].signer, entropy: entropy)
            // Only some arrive, so that a commit leaves the others out.
            if index % 2 == 0 { try deliverProposal(message, from: index) } else { try clients[index].store() }
        }
    }

    fileprivate mutating func joinExternally(replacing index: Int) throws {
        let info = try clients[0].group.groupInfo(signer: clients[0].signer)
        let name = clients[index].name
        let signer = try crypto.generateSignatureKey(entropy)
        let staged = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: Array(name.utf8)), signer: signer, removePrior: true,
            crypto: crypto, entropy: entropy)
        try deliver(staged, from: nil)
        clients.append(try Client(name: name, signer: signer, group: try #require(staged.next)))
    }
}
