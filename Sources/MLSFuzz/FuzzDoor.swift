import MLS

/// A way in for bytes that nobody has checked.
public enum FuzzDoor: String, CaseIterable, Sendable {
    /// Every type that is read from the wire; the first byte chooses it.
    case decode
    /// A ratchet tree, read and validated.
    case tree
    /// A Welcome for the joiner.
    case welcome
    /// A GroupInfo to join by an external commit.
    case groupInfo = "group-info"
    /// A message for a member: proposal, commit or application data.
    case handle
    /// The stored records of a group.
    case restore
    /// A stored staged commit.
    case staged
}

/// The doors of a group and of the engine, to be tried with bytes.
///
/// In front of what a door takes stands one byte that chooses the scene: whether all hashes are equal or none are.
public struct FuzzTarget: Sendable {
    private let scenes: [FuzzScene]

    public init() throws(MLSError) {
        scenes = [try FuzzScene(hashesAreEqual: false), try FuzzScene(hashesAreEqual: true)]
    }

    /// Tries a door. Errors are what it should give; a trap or a throw is a finding.
    ///
    /// - Throws: ``FuzzFinding`` when the engine takes the bytes and then breaks a promise.
    public func enter(_ door: FuzzDoor, _ input: [UInt8]) throws {
        _ = try takes(door, input)
    }

    /// Tries a door.
    ///
    /// - Returns: whether the input was taken.
    /// - Throws: ``FuzzFinding``.
    public func takes(_ door: FuzzDoor, _ input: [UInt8]) throws -> Bool {
        guard let choice = input.first else { return false }
        let scene = scenes[Int(choice) % scenes.count]
        let bytes = Array(input.dropFirst())
        do {
            switch door {
            case .decode: try WireType.check(choice, bytes)
            case .tree: try scene.validateTree(bytes)
            case .welcome: try scene.join(bytes)
            case .groupInfo: try scene.joinExternally(bytes)
            case .handle: try scene.handle(bytes)
            case .restore: try scene.restore(bytes)
            case .staged: try scene.takeStaged(bytes)
            }
            return true
        } catch is MLSError {
            // Refused, as most inputs should be.
            return false
        }
    }

    /// Valid inputs to begin with.
    public func seeds(for door: FuzzDoor) throws(MLSError) -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for (number, scene) in scenes.enumerated() {
            if door == .decode {
                if number == 0 { seeds += try WireType.seeds(scene) }
                continue
            }
            let inputs: [[UInt8]] =
                switch door {
                case .decode: []
                case .tree: [try scene.encodedTree()]
                case .welcome: scene.welcomes
                case .groupInfo: scene.groupInfos
                case .handle: scene.messages
                case .restore: [scene.storedRecords()]
                case .staged: scene.stagedCommits
                }
            seeds += inputs.map { [UInt8(number)] + $0 }
        }
        return seeds
    }
}

extension FuzzScene {
    func encodedTree() throws(MLSError) -> [UInt8] {
        guard case .groupInfo(let info) = try MLSMessage(decoding: victim.groupInfo(signer: signer)),
            let tree = info.extensions[.ratchetTree]
        else { throw MLSError(.invalidState, "no tree") }
        return tree
    }

    fileprivate func validateTree(_ bytes: [UInt8]) throws {
        var tree = try RatchetTree(decoding: bytes)
        if tree.encoded != bytes { throw FuzzFinding("a tree writes back otherwise than it was read") }
        try tree.validate(groupID: victim.groupID, extensions: [], now: nil, crypto: crypto)
        var group = tree
        let place = try group.reserveLeaf()
        for leaf in [place] + tree.members.map(\.0).prefix(3) { _ = tree.filteredDirectPath(of: leaf) }
    }

    fileprivate func join(_ bytes: [UInt8]) throws {
        let joined = try Group.join(welcome: bytes, bundles: [joiner], psks: [psk], crypto: crypto, now: Self.now)
        try live(joined.group, signer: joinerSigner)
    }

    fileprivate func joinExternally(_ bytes: [UInt8]) throws {
        let staged = try Group.externalCommit(
            groupInfo: bytes, credential: .basic(identity: Array("erin".utf8)), signer: joinerSigner,
            removePrior: bytes.count % 2 == 0, psks: [psk], crypto: crypto, entropy: FuzzRandom(seed: 2))
        guard let next = staged.next else { throw FuzzFinding("an external commit that removes its author") }
        try live(next, signer: joinerSigner)
    }

    fileprivate func handle(_ bytes: [UInt8]) throws {
        var group = victim
        _ = group.takeStateChanges()
        do {
            _ = try group.unprotect(bytes)
            if group.takeStateChanges().isEmpty { throw FuzzFinding("a message was opened and its key kept") }
            return
        } catch let error as MLSError {
            if !group.takeStateChanges().isEmpty { throw FuzzFinding("a message refused as \(error) left a trace") }
        }
        switch try group.process(bytes, psks: [psk], now: Self.now) {
        case .proposal(let pending):
            try group.storeProposal(pending)
            try live(group, signer: signer)
        case .commit(let staged):
            try take(StagedCommit(serialized: staged.serialized(), crypto: crypto), in: group)
        }
    }

    fileprivate func takeStaged(_ bytes: [UInt8]) throws {
        try take(try StagedCommit(serialized: bytes, crypto: crypto), in: victim)
    }

    private func take(_ staged: StagedCommit, in group: Group) throws {
        var group = group
        _ = group.takeStateChanges()
        try group.merge(staged)
        try live(group, signer: signer)
    }

    fileprivate func restore(_ bytes: [UInt8]) throws {
        let records = try Self.records(bytes)
        var group = try Group.restore(records, crypto: crypto)
        if !group.takeStateChanges().isEmpty { throw FuzzFinding("a restored group wants to be stored") }
        try live(group, signer: signer)
    }

    /// Does with a group what a member does, and stores it: none of it may trap, and what is stored must come back.
    private func live(_ group: Group, signer: SignaturePrivateKey) throws {
        let random = FuzzRandom(seed: 2)
        var group = group
        let records = group.records()
        let restored = try Group.restore(records, crypto: crypto, configuration: group.configuration)
        if restored.epochAuthenticator != group.epochAuthenticator { throw FuzzFinding("another group is restored") }
        if restored.records().map(\.value) != records.map(\.value) { throw FuzzFinding("other records are stored") }
        for message in messages.prefix(3) { attempt { _ = try group.unprotect(message) } }
        attempt { _ = try group.protect([1, 2, 3], signer: signer, entropy: random) }
        attempt { _ = try group.proposeUpdate(signer: signer, entropy: random) }
        attempt { _ = try group.groupInfo(signer: signer) }
        attempt { _ = try group.export(label: "fuzz", context: [], length: 32) }
        attempt {
            let staged = try group.commit([], psks: [psk], signer: signer, now: nil, entropy: random)
            try group.merge(staged)
        }
        _ = group.takeStateChanges()
    }

    /// What may fail after a strange beginning, as long as it fails gently.
    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch {}
    }

    /// Records in the form in which the door takes them.
    func storedRecords() -> [UInt8] {
        var writer = TLSWriter()
        for record in victim.records() {
            writer.writeOpaque(record.key)
            writer.writeOpaque(record.value)
        }
        return writer.bytes
    }

    private static func records(_ bytes: [UInt8]) throws(MLSError) -> [(key: [UInt8], value: [UInt8])] {
        var reader = TLSReader(bytes)
        var records: [(key: [UInt8], value: [UInt8])] = []
        while !reader.isAtEnd { records.append((try reader.readOpaque(), try reader.readOpaque())) }
        return records
    }
}
