import MLS

/// reinit_…, branch…: groups that continue another one.
extension Peer {
    /// Commits the pending ReInit and nothing else.
    mutating func reInitCommit(_ request: Request) throws -> Answer {
        let framing = try Framing(request)
        let (entropy, now) = (entropy, clock())
        let (ended, commit) = try withGroup(request) { entry in
            // On a copy, since only the finished commit tells whether it is the one that was asked for.
            var trial = entry
            let staged = try trial.framing(as: framing) { [signer = entry.signer] group in
                try group.commit(
                    [], forcePath: false, authenticatedData: framing.authenticatedData, signer: signer, now: now,
                    entropy: entropy)
            }
            if staged.changes.reInit == nil { throw PeerError("no ReInit is pending that can be committed now") }
            try trial.merge(staged)
            entry = trial
            return (entry, staged.message)
        }
        return ["commit": .hex(commit)] + insertTombstone(of: ended)
    }

    mutating func handleReInitCommit(_ request: Request) throws -> Answer {
        let commit = try request.bytes("commit")
        let now = clock()
        let ended = try withGroup(request) { entry in
            guard case .commit(let staged) = try entry.process(commit, now: now), staged.changes.reInit != nil else {
                throw PeerError("the message is no commit that ends the group")
            }
            try entry.merge(staged)
            return entry
        }
        return insertTombstone(of: ended)
    }

    private mutating func insertTombstone(of ended: PeerGroup) -> Answer {
        let handle = newHandle()
        tombstones.insert(ended.group, as: handle)
        return [
            "tombstone": PeerJSON(handle),
            "suite": ended.group.reInit.map { PeerJSON($0.cipherSuite.rawValue) } ?? .null,
        ] + ended.epochAnswer
    }

    mutating func reInitWelcome(_ request: Request) throws -> Answer {
        let ended = try tombstones[try request.integer("tombstone")]
        let own = try keyPackages[try request.integer("kp")]
        let leaf = own.bundle.keyPackage.leafNode
        let inlineTree = try request.bool("inline_tree", default: true)
        let founded = try ended.reinitialize(
            with: try request.keyPackages("key_packages"), credential: leaf.credential, signer: own.signer,
            lifetime: leaf.lifetime ?? standardLifetime, leafExtensions: leaf.extensions,
            capabilities: leaf.capabilities, inlineTree: inlineTree,
            crypto: try provider.suite(own.bundle.keyPackage.cipherSuite),
            configuration: try configuration(request), now: clock(), entropy: entropy)
        return insert(founded, signer: own.signer, inlineTree: inlineTree)
    }

    mutating func reInitJoin(_ request: Request) throws -> Answer {
        try join(request, predecessor: try tombstones[try request.integer("tombstone")])
    }

    mutating func branch(_ request: Request) throws -> Answer {
        let parent = try group(request)
        let own = try keyPackages[try request.integer("kp")]
        let leaf = own.bundle.keyPackage.leafNode
        let inlineTree = try request.bool("inline_tree", default: true)
        let founded = try parent.group.branch(
            groupID: try request.bytes("group_id"), with: try request.keyPackages("key_packages"),
            credential: leaf.credential, signer: own.signer,
            extensions: request.has("extensions") ? try request.extensions("extensions") : nil,
            lifetime: leaf.lifetime ?? standardLifetime, leafExtensions: leaf.extensions,
            capabilities: leaf.capabilities, inlineTree: inlineTree, configuration: try configuration(request),
            now: clock(), entropy: entropy)
        return insert(founded, signer: own.signer, inlineTree: inlineTree)
    }

    mutating func branchJoin(_ request: Request) throws -> Answer {
        try join(request, predecessor: try group(request).group)
    }

    private mutating func insert(
        _ founded: (group: Group, welcome: [UInt8]?), signer: SignaturePrivateKey, inlineTree: Bool
    ) -> Answer {
        insert(PeerGroup(group: founded.group, signer: signer)) + ["welcome": .hex(founded.welcome)]
            + (inlineTree ? .empty : ["ratchet_tree": .hex(founded.group.ratchetTree)])
    }
}

extension LeafNode {
    /// Only a key package's leaf has one.
    fileprivate var lifetime: Lifetime? { if case .keyPackage(let lifetime) = source { lifetime } else { nil } }
}
