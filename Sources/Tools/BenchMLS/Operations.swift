import MLS

/// The rows of one suite, for a group of one shape and size.
struct Operations {
    let crypto: any SuiteCrypto
    /// The same suite, spreading its work over two threads.
    let parallel: any SuiteCrypto
    let entropy: any EntropySource

    // MARK: Without a group

    func clientRows() throws -> [Row] {
        let client = try SampleGroup.client(0, crypto: crypto, entropy: entropy)
        var creation = Floor()
        creation.add(.keygen)
        creation.signs(1)
        // The nine secrets of the first epoch, and its confirmation tag.
        creation.add(.hmac, 10)
        var packaging = Floor()
        packaging.add(.keygen, 2)
        packaging.signs(2)
        return [
            Row("create", floor: creation) {
                _ = try Group.create(
                    groupID: SampleGroup.groupID, crypto: crypto, credential: .basic(identity: [1, 2, 3]),
                    signer: client.signer, lifetime: SampleGroup.lifetime, entropy: entropy)
            },
            Row("key package", floor: packaging, bytes: client.bundle.keyPackage.encoded.count) {
                _ = try KeyPackageBundle.generate(
                    crypto: crypto, identity: .basic(identity: [1, 2, 3]), signer: client.signer,
                    lifetime: SampleGroup.lifetime, entropy: entropy)
            },
        ]
    }

    // MARK: Commits

    func commitRows(_ sample: SampleGroup) throws -> [Row] {
        let left = sample.left
        let newcomer = try SampleGroup.client(sample.size, crypto: crypto, entropy: entropy)
        let add = [Proposal.add(newcomer.bundle.keyPackage)]
        let make = { () throws -> StagedCommit in
            var group = left.group
            return try group.commit(
                add, forcePath: false, withGroupInfo: false, signer: left.signer, now: nil, entropy: entropy)
        }
        let added = try make()
        var adding = Floor()
        adding.verifies(2)
        adding.signs(2)
        adding.hpkeSeals(1)
        adding.keySchedule()
        adding.add(.hmac, 3)
        var addProcessing = Floor()
        addProcessing.verifies(3)
        addProcessing.keySchedule()
        var rows = [
            Row("add", floor: adding, bytes: added.message.count) { _ = try make() },
            Row("add: its Welcome", floor: nil, bytes: added.welcome?.count) {},
            Row("process an add", floor: addProcessing) { try process(added.message, in: sample.right.group) },
        ]
        rows += try pathRows("empty commit", [], sample)
        rows += try pathRows("remove", [.remove(LeafIndex(UInt32(sample.size / 2)))], sample)
        return rows
    }

    /// A commit with a path, without a GroupInfo: making it, also with two threads; processing it; applying and storing
    /// it.
    private func pathRows(_ name: String, _ proposals: [Proposal], _ sample: SampleGroup) throws -> [Row] {
        let left = sample.left
        let make = { (group: Group) throws -> StagedCommit in
            var group = group
            return try group.commit(proposals, withGroupInfo: false, signer: left.signer, now: nil, entropy: entropy)
        }
        let staged = try make(left.group)
        let floor = try pathFloor(of: staged.message)
        var processing = Floor()
        processing.verifies(2)
        // In a group of two, the other one is removed, and learns no more than that.
        if !staged.changes.removed.contains(where: { $0.index == sample.right.group.ownLeaf }) {
            processing.hpkeOpen()
            // The two are on either side of the root.
            processing.pathKeys(1)
            processing.keySchedule()
        }
        var restored = try with(parallel, left.group)
        // A restored group still has to compute its tree hashes: a commit on it has them.
        try restored.merge(
            try restored.commit([], withGroupInfo: false, signer: left.signer, now: nil, entropy: entropy))
        let parallelGroup = restored
        let (stored, changes) = try merged(staged, into: left.group)
        return [
            Row(name, floor: floor, bytes: staged.message.count) { _ = try make(left.group) },
            Row("\(name), 2 threads", floor: floor, clock: .wall) {
                try Clock.wall.seconds { _ = try make(parallelGroup) }
            },
            Row("\(name), busier of 2", floor: floor, clock: .process) {
                try Clock.secondsOfBusier { _ = try make(parallelGroup) }
            },
            Row("process: \(name)", floor: processing) { try process(staged.message, in: sample.right.group) },
            Row("merge and save: \(name)", floor: .copying(stored), bytes: stored) {
                var group = left.group
                return try Clock.thread.seconds {
                    try group.merge(staged)
                    _ = group.takeStateChanges()
                }
            },
            Row("records: \(name)", floor: nil, bytes: changes) {},
        ]
    }

    private func process(_ message: [UInt8], in group: Group) throws {
        guard case .commit = try group.process(message, now: nil) else { throw Trouble("a commit is none") }
    }

    /// Two signatures, a leaf key, and for each node of the path its key and a seal for everyone below the other child.
    private func pathFloor(of message: [UInt8]) throws -> Floor {
        guard case .publicMessage(let message) = try MLSMessage(decoding: message),
            case .commit(let commit) = message.content.body, let path = commit.path
        else { throw Trouble("a commit without a path") }
        var floor = Floor()
        floor.signs(2)
        floor.add(.keygen)
        floor.pathKeys(path.nodes.count)
        floor.hpkeSeals(path.nodes.reduce(0) { $0 + $1.encryptedPathSecret.count })
        floor.keySchedule()
        return floor
    }

    private func merged(_ staged: StagedCommit, into group: Group) throws -> (bytes: Int, records: Int) {
        var group = group
        try group.merge(staged)
        let changes = group.takeStateChanges()
        return (changes.reduce(0) { $0 + $1.length }, changes.count)
    }

    /// The same group with another provider.
    private func with(_ crypto: any SuiteCrypto, _ group: Group) throws -> Group {
        try Group.restore(group.records(), crypto: crypto)
    }

    // MARK: Joining

    func joinRows(_ sample: SampleGroup) throws -> [Row] {
        let (welcome, bundles) = (sample.welcome, [sample.bundle])
        var joining = Floor()
        joining.verifies(sample.size + 1)
        joining.hpkeOpen()
        joining.joinerSchedule()
        let outsider = try SampleGroup.client(sample.size, crypto: crypto, entropy: entropy)
        let info = try sample.right.group.groupInfo(signer: sample.right.signer)
        var describing = Floor()
        describing.add(.sign(info.count))
        // The external key pair.
        describing.add(.keygen)
        describing.add(.hmac, 2)
        let join = { (crypto: any SuiteCrypto) throws -> StagedCommit in
            try Group.externalCommit(
                groupInfo: info, credential: .basic(identity: [1, 2, 3]), signer: outsider.signer,
                withGroupInfo: false, crypto: crypto, entropy: entropy)
        }
        let staged = try join(crypto)
        var external = try pathFloor(of: staged.message)
        external.verifies(sample.size + 1)
        external.add(.keygen)
        external.hpkeExport()
        var processing = Floor()
        processing.verifies(2)
        processing.hpkeOpen()
        processing.pathKeys(1)
        processing.add(.keygen)
        processing.hpkeExport()
        processing.keySchedule()
        return [
            Row("join", floor: joining, bytes: welcome.count) {
                _ = try Group.join(welcome: welcome, bundles: bundles, crypto: crypto, now: nil)
            },
            Row("join, 2 threads", floor: joining, clock: .wall) {
                try Clock.wall.seconds {
                    _ = try Group.join(welcome: welcome, bundles: bundles, crypto: parallel, now: nil)
                }
            },
            Row("join, busier of 2", floor: joining, clock: .process) {
                try Clock.secondsOfBusier {
                    _ = try Group.join(welcome: welcome, bundles: bundles, crypto: parallel, now: nil)
                }
            },
            Row("GroupInfo with the tree", floor: describing, bytes: info.count) {
                _ = try sample.right.group.groupInfo(signer: sample.right.signer)
            },
            Row("external join", floor: external, bytes: staged.message.count) { _ = try join(crypto) },
            Row("process: external join", floor: processing) { try process(staged.message, in: sample.left.group) },
        ]
    }

    // MARK: The store

    func storeRows(_ sample: SampleGroup) throws -> [Row] {
        let records = sample.right.group.records()
        let length = records.reduce(0) { $0 + $1.key.count + $1.value.count }
        let fresh = try Group.join(welcome: sample.welcome, bundles: [sample.bundle], crypto: crypto, now: nil).group
        return [
            Row("save all", floor: .copying(length), bytes: length) {
                var group = fresh
                return Clock.thread.seconds { _ = group.takeStateChanges() }
            },
            Row("restore", floor: .copying(length)) { _ = try Group.restore(records, crypto: crypto) },
        ]
    }
}

extension StateChange {
    fileprivate var length: Int {
        switch self {
        case .put(let key, let value): key.count + value.count
        case .delete(let key), .deletePrefix(let key): key.count
        }
    }
}
