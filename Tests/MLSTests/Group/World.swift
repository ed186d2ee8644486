import MLS
import Testing

@testable import struct MLS.Group

/// A member with its keys, its group, and the records it has stored.
struct Client {
    let name: String
    var signer: SignaturePrivateKey
    var group: Group
    private(set) var records: [[UInt8]: [UInt8]] = [:]
    /// Whether it goes on as the group that its records give back; otherwise the records are only checked.
    var isRestored = true

    init(name: String, signer: SignaturePrivateKey, group: Group) throws {
        self.name = name
        self.signer = signer
        self.group = group
        try store()
    }

    /// Stores what changed, and as a rule goes on with the group that the records give back.
    mutating func store() throws {
        for change in group.takeStateChanges() {
            switch change {
            case .put(let key, let value): records[key] = value
            case .delete(let key): records[key] = nil
            case .deletePrefix(let prefix): records = records.filter { !$0.key.starts(with: prefix) }
            }
        }
        // The journal has missed nothing and left nothing behind.
        let whole = Dictionary(uniqueKeysWithValues: group.records().map { ($0.key, $0.value) })
        #expect(records == whole)
        if !isRestored { return }
        let epoch = group.epoch
        group = try Group.restore(
            records.map { (key: $0.key, value: $0.value) }, crypto: group.crypto,
            configuration: group.configuration)
        #expect(group.epoch == epoch)
    }

    mutating func merge(_ staged: StagedCommit) throws {
        try group.merge(staged)
        try store()
    }
}

/// Some clients in one group, who get every message, and what the tests do with them.
struct World {
    static let now: UInt64 = 1_800_000_000
    static let lifetime = Lifetime(notBefore: now - 3600, notAfter: now + 3600)

    let crypto: any SuiteCrypto
    var entropy: SeededEntropy
    var clients: [Client] = []
    private var born = 0

    /// A group of `count` members.
    init(
        suite number: UInt16 = 1, seed: UInt64 = 1, members count: Int, extensions: [Extension] = [],
        groupID: [UInt8] = Array("a group".utf8), capabilities: Capabilities = Capabilities(),
        sendsGREASE: Bool = false
    ) throws {
        try self.init(
            crypto: suite(number), seed: seed, members: count, extensions: extensions, groupID: groupID,
            capabilities: capabilities, sendsGREASE: sendsGREASE)
    }

    init(
        crypto: any SuiteCrypto, seed: UInt64 = 1, members count: Int, extensions: [Extension] = [],
        groupID: [UInt8] = Array("a group".utf8), capabilities: Capabilities = Capabilities(),
        sendsGREASE: Bool = false
    ) throws {
        self.crypto = crypto
        entropy = SeededEntropy(seed: seed)
        let (name, signer) = try newIdentity()
        var configuration = GroupConfiguration()
        configuration.sendsGREASE = sendsGREASE
        let group = try Group.create(
            groupID: groupID, crypto: crypto, credential: .basic(identity: Array(name.utf8)),
            signer: signer, extensions: extensions, lifetime: Self.lifetime, capabilities: capabilities,
            configuration: configuration, entropy: entropy)
        clients = [try Client(name: name, signer: signer, group: group)]
        if count > 1 { try add(count - 1, by: 0) }
    }

    mutating func newIdentity() throws -> (name: String, signer: SignaturePrivateKey) {
        born += 1
        return ("client \(born)", try crypto.generateSignatureKey(entropy))
    }

    mutating func newBundle(
        lifetime: Lifetime = World.lifetime, capabilities: Capabilities = Capabilities()
    ) throws -> (name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle) {
        let (name, signer) = try newIdentity()
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(name.utf8)), signer: signer, lifetime: lifetime,
            capabilities: capabilities, entropy: entropy)
        return (name, signer, bundle)
    }

    /// Stages a commit of one client.
    func commit(
        _ proposals: [Proposal], by author: Int, includePending: Bool = true, forcePath: Bool = true,
        psks: [PreSharedKey] = []
    ) throws -> StagedCommit {
        // On a copy: what is staged here is merged or dropped before the author sends anything else.
        var group = clients[author].group
        return try group.commit(
            proposals, includePending: includePending, forcePath: forcePath, authenticatedData: [1, 2, 3], psks: psks,
            signer: clients[author].signer, now: Self.now, entropy: entropy)
    }

    /// Lets everyone but its author store a proposal.
    mutating func deliverProposal(_ message: [UInt8], from author: Int?) throws {
        for index in clients.indices where index != author {
            guard case .proposal(let pending) = try clients[index].group.process(message, now: Self.now) else {
                throw MLSError(.malformed, "not a proposal")
            }
            try clients[index].group.storeProposal(pending)
            try clients[index].store()
        }
        if let author { try clients[author].store() }
    }

    /// A client's proposal, stored by everyone.
    mutating func propose(_ proposal: Proposal, by author: Int) throws {
        let message = try clients[author].group.propose(
            proposal, signer: clients[author].signer, now: Self.now, entropy: entropy)
        try deliverProposal(message, from: author)
    }

    /// Lets everyone apply a commit; those that it removes leave the world.
    ///
    /// - Parameter author: nil for someone who is not among the clients yet.
    mutating func deliver(_ staged: StagedCommit, from author: Int?, psks: [PreSharedKey] = []) throws {
        for index in clients.indices {
            if index == author {
                // A staged commit may have waited on disk.
                try clients[index].merge(try StagedCommit(serialized: staged.serialized(), crypto: crypto))
                continue
            }
            guard
                case .commit(let theirs) = try clients[index].group.process(
                    staged.message, psks: psks, now: Self.now)
            else { throw MLSError(.malformed, "not a commit") }
            #expect(theirs.confirmationTag == staged.confirmationTag)
            #expect(theirs.changes.added == staged.changes.added)
            #expect(Set(theirs.changes.updated) == Set(staged.changes.updated))
            #expect(theirs.changes.removed == staged.changes.removed)
            #expect(theirs.changes.selfRemoved == (theirs.next == nil))
            #expect(theirs.committer == staged.committer)
            #expect(theirs.authenticatedData == staged.authenticatedData)
            try clients[index].merge(StagedCommit(serialized: theirs.serialized(), crypto: crypto))
        }
        clients.removeAll { !$0.group.isActive }
    }

    /// Adds new clients by one commit and its Welcome.
    mutating func add(_ count: Int, by author: Int, forcePath: Bool = true) throws {
        var newcomers: [(name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle)] = []
        for _ in 0..<count { newcomers.append(try newBundle()) }
        let staged = try commit(
            newcomers.map { .add($0.bundle.keyPackage) }, by: author, forcePath: forcePath)
        try deliver(staged, from: author)
        try welcome(newcomers, staged)
    }

    mutating func welcome(
        _ newcomers: [(name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle)], _ staged: StagedCommit,
        psks: [PreSharedKey] = []
    ) throws {
        let welcome = try #require(staged.welcome)
        for newcomer in newcomers {
            let joined = try Group.join(
                welcome: welcome, bundles: [newcomer.bundle], psks: psks, crypto: crypto, now: Self.now)
            #expect(joined.confirmationTag == staged.confirmationTag)
            #expect(joined.usedKeyPackage == newcomer.bundle.keyPackage.ref(crypto: crypto))
            clients.append(try Client(name: newcomer.name, signer: newcomer.signer, group: joined.group))
        }
    }

    func protect(_ text: String, by author: Int, in clients: inout [Client]) throws -> [UInt8] {
        let message = try clients[author].group.protect(
            Array(text.utf8), authenticatedData: Array("data".utf8), signer: clients[author].signer, entropy: entropy)
        try clients[author].store()
        return message
    }

    mutating func protect(_ text: String, by author: Int) throws -> [UInt8] {
        try protect(text, by: author, in: &clients)
    }

    mutating func unprotect(_ message: [UInt8], by reader: Int) throws -> ApplicationMessage {
        let opened = try clients[reader].group.unprotect(message)
        try clients[reader].store()
        return opened
    }

    /// All see one group.
    func expectAgreement(at location: SourceLocation = #_sourceLocation) throws {
        let first = try #require(clients.first?.group)
        for client in clients {
            #expect(client.group.epochAuthenticator == first.epochAuthenticator, sourceLocation: location)
            #expect(client.group.groupContext == first.groupContext, sourceLocation: location)
            #expect(client.group.members == first.members, sourceLocation: location)
            #expect(client.group.ownMember?.identity == Array(client.name.utf8), sourceLocation: location)
        }
        #expect(
            Set(first.members.map(\.identity)) == Set(clients.map { Array($0.name.utf8) }), sourceLocation: location)
    }
}
