import MLS

/// The parts of messages, taken from valid ones.
struct MessageParts: Sendable {
    private(set) var leafNodes: [LeafNode] = []
    private(set) var keyPackages: [KeyPackage] = []
    private(set) var proposals: [ProposalOrRef] = []
    private(set) var paths: [UpdatePath] = []
    private(set) var extensions: [Extension] = [
        Extension(.lastResort, data: []), Extension(ExtensionType(0x0A0A), data: [1]),
        Extension(.requiredCapabilities, data: RequiredCapabilities(extensions: [.lastResort]).encoded),
        Extension(.externalSenders, data: [0]), Extension(.externalPub, data: [0]),
    ]
    private(set) var keys: [[UInt8]] = [[], [0], [UInt8](repeating: 0, count: 32)]
    private(set) var nodes: [Node?] = [nil, nil]

    init(messages: [[UInt8]]) {
        for bytes in messages {
            // Inputs other than messages have no parts to take.
            guard let message = try? MLSMessage(decoding: bytes) else { continue }
            harvest(message)
        }
    }

    private mutating func harvest(_ message: MLSMessage) {
        switch message {
        case .publicMessage(let message):
            switch message.content.body {
            case .proposal(let proposal): harvest(.proposal(proposal))
            case .commit(let commit):
                for proposal in commit.proposals { harvest(proposal) }
                if let path = commit.path { harvest(path) }
            case .application: break
            }
        case .keyPackage(let keyPackage): harvest(keyPackage)
        case .groupInfo(let info):
            extensions += info.extensions + info.context.extensions
            // A tree that cannot be read has no nodes to take.
            guard let data = info.extensions[.ratchetTree], let tree = try? RatchetTree(decoding: data) else { break }
            for value in 0..<tree.size.nodeCount { nodes.append(tree[NodeIndex(value)]) }
            leafNodes += tree.members.map(\.1)
            keys += nodes.compactMap { $0?.encryptionKey }
        case .privateMessage, .welcome: break
        }
    }

    private mutating func harvest(_ proposal: ProposalOrRef) {
        proposals.append(proposal)
        switch proposal {
        case .proposal(.add(let keyPackage)): harvest(keyPackage)
        case .proposal(.update(let leaf)): leafNodes.append(leaf)
        case .proposal, .reference: break
        }
    }

    private mutating func harvest(_ keyPackage: KeyPackage) {
        keyPackages.append(keyPackage)
        leafNodes.append(keyPackage.leafNode)
        keys.append(keyPackage.initKey)
    }

    private mutating func harvest(_ path: UpdatePath) {
        paths.append(path)
        leafNodes.append(path.leafNode)
        keys += path.nodes.map(\.encryptionKey)
    }
}
