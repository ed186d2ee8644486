import MLS

/// Changes what a message says, and signs it again: it stays well formed, so only the rules can refuse it.
struct MessageMutator {
    let random: FuzzRandom
    let parts: MessageParts
    let crypto: TransparentCrypto

    func mutate(_ message: MLSMessage) throws(MLSError) -> MLSMessage {
        switch message {
        case .publicMessage(let message): .publicMessage(try mutate(message))
        case .privateMessage: message
        case .welcome(let welcome): .welcome(try mutate(welcome))
        case .groupInfo(let info): .groupInfo(try mutate(info))
        case .keyPackage(let keyPackage): .keyPackage(try mutate(keyPackage))
        }
    }

    private func signer() throws(MLSError) -> SignaturePrivateKey { try crypto.generateSignatureKey(random) }

    // MARK: Framing

    private func mutate(_ message: PublicMessage) throws(MLSError) -> PublicMessage {
        let old = message.content
        var (sender, body, epoch) = (old.sender, old.body, old.epoch)
        switch random.below(6) {
        case 0: sender = mutate(sender)
        case 1 where random.chance(oneIn: 4): epoch = number(near: epoch)
        default: body = try mutate(body)
        }
        let content = FramedContent(
            groupID: old.groupID, epoch: epoch, sender: sender, authenticatedData: old.authenticatedData, body: body)
        let auth = FramedContentAuthData(
            signature: message.auth.signature,
            confirmationTag: body.type == .commit ? crypto.mac(key: Secret([]), []) : nil)
        return PublicMessage(
            protecting: AuthenticatedContent(wireFormat: .publicMessage, content: content, auth: auth),
            membershipKey: Secret([]), context: [], crypto: crypto)
    }

    private func mutate(_ sender: Sender) -> Sender {
        switch random.below(4) {
        case 0: .member(LeafIndex(UInt32(random.below(9))))
        case 1: .external(UInt32(random.below(2)))
        case 2: .newMemberProposal
        default: .newMemberCommit
        }
    }

    private func mutate(_ body: FramedContent.Body) throws(MLSError) -> FramedContent.Body {
        switch body {
        case .application: body
        case .proposal(let proposal): .proposal(try mutate(proposal))
        case .commit(let commit): .commit(try mutate(commit))
        }
    }

    // MARK: Commits and proposals

    private func mutate(_ commit: Commit) throws(MLSError) -> Commit {
        var (proposals, path) = (commit.proposals, commit.path)
        switch random.below(5) {
        case 0: path = random.chance(oneIn: 4) ? nil : random.element(of: parts.paths)
        case 1, 2: if let old = path { path = try mutate(old) }
        default: try mutate(&proposals, from: parts.proposals) { other throws(MLSError) in try mutate(other) }
        }
        return Commit(proposals: proposals, path: path)
    }

    private func mutate(_ listed: ProposalOrRef) throws(MLSError) -> ProposalOrRef {
        switch listed {
        case .proposal(let proposal): .proposal(try mutate(proposal))
        case .reference: .reference(ProposalRef(random.bytes(crypto.suite.hashLength)))
        }
    }

    private func mutate(_ proposal: Proposal) throws(MLSError) -> Proposal {
        switch proposal {
        case .add(let keyPackage): return .add(try mutate(keyPackage))
        case .update(let leaf): return .update(try mutate(leaf))
        case .remove: return .remove(LeafIndex(UInt32(random.below(9))))
        case .preSharedKey(let id):
            let epoch = UInt64(random.below(20))
            let usage = random.element(of: [ResumptionUsage.application, .reinit, .branch]) ?? .application
            let source = random.chance(oneIn: 2) ? id.source : .resumption(usage, groupID: [1, 2, 3], epoch: epoch)
            return .preSharedKey(PreSharedKeyID(source: source, nonce: random.bytes(crypto.suite.hashLength)))
        case .reInit(let reInit):
            return .reInit(
                ReInit(
                    groupID: reInit.groupID, version: ProtocolVersion(UInt16(random.below(3))),
                    cipherSuite: .init(UInt16(random.below(9))), extensions: mutate(reInit.extensions)))
        case .externalInit(let kemOutput):
            return .externalInit(kemOutput: Array(kemOutput.dropLast(random.below(2))))
        case .groupContextExtensions(let extensions): return .groupContextExtensions(mutate(extensions))
        }
    }

    private func mutate(_ path: UpdatePath) throws(MLSError) -> UpdatePath {
        var (leaf, nodes) = (path.leafNode, path.nodes)
        if random.chance(oneIn: 3) {
            leaf = try mutate(leaf)
        } else {
            let others = parts.paths.flatMap(\.nodes)
            try mutate(&nodes, from: others) { node throws(MLSError) in mutate(node) }
        }
        return UpdatePath(leafNode: leaf, nodes: nodes)
    }

    private func mutate(_ node: UpdatePathNode) -> UpdatePathNode {
        var (key, secrets) = (node.encryptionKey, node.encryptedPathSecret)
        switch random.below(3) {
        case 0: key = random.element(of: parts.keys) ?? key
        case 1: if !secrets.isEmpty { secrets.removeLast() }
        default: secrets += secrets
        }
        return UpdatePathNode(encryptionKey: key, encryptedPathSecret: secrets)
    }

    // MARK: Members

    private func mutate(_ keyPackage: KeyPackage) throws(MLSError) -> KeyPackage {
        var leaf = keyPackage.leafNode
        if random.chance(oneIn: 2) { leaf = try mutate(leaf) }
        let initKey = random.chance(oneIn: 4) ? random.element(of: parts.keys) : random.bytes(32)
        return try KeyPackage(
            initKey: initKey ?? keyPackage.initKey, leafNode: leaf, extensions: mutate(keyPackage.extensions),
            signer: signer(), crypto: crypto)
    }

    private func mutate(_ leaf: LeafNode) throws(MLSError) -> LeafNode {
        var (key, profile, source) = (leaf.encryptionKey, leaf.profile, leaf.source)
        switch random.below(7) {
        case 0: return random.element(of: parts.leafNodes) ?? leaf
        case 1: key = random.element(of: parts.keys) ?? key
        case 2: key = random.bytes(32)
        case 3: profile.extensions = mutate(profile.extensions)
        case 4:
            let other = random.element(of: parts.leafNodes)?.credential
            profile.credential = (random.chance(oneIn: 2) ? nil : other) ?? .x509(chain: [[1]])
        case 5: profile.capabilities.credentials = random.chance(oneIn: 2) ? [] : [.basic, .x509]
        default:
            source =
                switch random.below(3) {
                case 0: .keyPackage(Lifetime(notBefore: UInt64(random.below(2)), notAfter: .max))
                case 1: .update
                default: .commit(parentHash: crypto.hash(random.bytes(1)))
                }
        }
        return try LeafNode(
            encryptionKey: key, profile: profile, source: source,
            placement: .init(groupID: [1, 2, 3], leafIndex: LeafIndex(0)), signer: signer(), crypto: crypto)
    }

    private func mutate(_ extensions: [Extension]) -> [Extension] {
        var extensions = extensions
        if random.chance(oneIn: 3), !extensions.isEmpty {
            extensions.remove(at: random.below(extensions.count))
        } else if let more = random.element(of: parts.extensions) {
            extensions.append(more)
        }
        return extensions
    }

    // MARK: Joining

    private func mutate(_ info: GroupInfo) throws(MLSError) -> GroupInfo {
        var (context, extensions, signer) = (info.context, info.extensions, info.signer)
        switch random.below(6) {
        case 0: context.epoch = number(near: context.epoch)
        case 1: context.extensions = mutate(context.extensions)
        case 2: signer = LeafIndex(UInt32(random.below(9)))
        case 3: extensions = mutate(extensions)
        default: try mutateTree(in: &extensions)
        }
        return try GroupInfo(
            context: context, extensions: extensions, confirmationTag: info.confirmationTag, signer: signer,
            signatureKey: self.signer(), crypto: crypto)
    }

    /// A tree of other nodes. It fits the rest only if all hashes are equal.
    private func mutateTree(in extensions: inout [Extension]) throws(MLSError) {
        guard let place = extensions.firstIndex(where: { $0.type == .ratchetTree }) else { return }
        let tree = try RatchetTree(decoding: extensions[place].data)
        var nodes = (0..<tree.size.nodeCount).map { tree[NodeIndex($0)] }
        for _ in 0...random.below(3) {
            let index = random.below(nodes.count)
            if case .parent(var parent) = nodes[index], random.chance(oneIn: 2) {
                let leaf = LeafIndex(UInt32(random.below(9)))
                parent.unmergedLeaves = random.chance(oneIn: 2) ? [] : (parent.unmergedLeaves + [leaf]).sorted()
                nodes[index] = .parent(parent)
            } else if random.chance(oneIn: 6) {
                nodes += nodes
            } else {
                nodes[index] = random.chance(oneIn: 2) ? nil : (random.element(of: parts.nodes) ?? nil)
            }
        }
        var writer = TLSWriter()
        writer.writeVector { writer in for node in nodes { writer.writeOptional(node) } }
        extensions[place] = Extension(.ratchetTree, data: writer.bytes)
    }

    private func mutate(_ welcome: Welcome) throws(MLSError) -> Welcome {
        var (secrets, sealed) = (welcome.secrets, welcome.encryptedGroupInfo)
        let tag = crypto.suite.aeadTagLength
        if random.chance(oneIn: 4), let entry = secrets.first {
            var opened = try GroupSecrets(decoding: entry.sealed.ciphertext.dropLast(tag))
            opened = GroupSecrets(
                joinerSecret: opened.joinerSecret,
                pathSecret: random.chance(oneIn: 2) ? nil : Secret(random.bytes(32)),
                psks: random.chance(oneIn: 2) ? opened.psks + opened.psks : [])
            let ciphertext = opened.encoded + [UInt8](repeating: 0, count: tag)
            secrets[0] = EncryptedGroupSecrets(
                newMember: entry.newMember,
                sealed: HPKECiphertext(kemOutput: entry.sealed.kemOutput, ciphertext: ciphertext))
        } else {
            let info = try mutate(try GroupInfo(decoding: sealed.dropLast(tag)))
            sealed = info.encoded + [UInt8](repeating: 0, count: tag)
        }
        return Welcome(suite: welcome.suite, secrets: secrets, encryptedGroupInfo: sealed)
    }

    // MARK: Lists and numbers

    /// Drops, doubles, swaps, copies or changes one element.
    private func mutate<T>(
        _ list: inout [T], from others: [T], _ change: (T) throws(MLSError) -> T
    ) throws(MLSError) {
        let index = random.below(list.count)
        switch random.below(5) {
        case _ where list.isEmpty: list += others.prefix(1)
        case 0: list.remove(at: index)
        case 1: list.append(list[index])
        case 2: list.swapAt(index, random.below(list.count))
        case 3: if let other = random.element(of: others) { list.insert(other, at: index) }
        default: list[index] = try change(list[index])
        }
    }

    private func number(near value: UInt64) -> UInt64 {
        random.element(of: [value &+ 1, value &- 1, 0, .max, .max - 1]) ?? value
    }
}
