import MLS

/// propose_…, and the proposals that other ops take as objects with a `type`.
extension Peer {
    /// - Parameter type: as in `by_value`.
    mutating func propose(_ type: String, _ request: Request) throws -> Answer {
        let framing = try Framing(request)
        let entropy = entropy
        return try withGroup(request) { entry in
            let proposal = try Proposal(type, request, for: ProposalTarget(entry.group), entropy: entropy)
            let message = try entry.framing(as: framing) { [signer = entry.signer] group in
                try group.propose(
                    proposal, authenticatedData: framing.authenticatedData, signer: signer, now: nil,
                    entropy: entropy)
            }
            return try entry.answer(to: proposal, message)
        }
    }

    mutating func proposeUpdate(_ request: Request) throws -> Answer {
        let framing = try Framing(request)
        let entropy = entropy
        return try withGroup(request) { entry in
            let message = try entry.framing(as: framing) { [signer = entry.signer] group in
                try group.proposeUpdate(
                    authenticatedData: framing.authenticatedData, signer: signer, entropy: entropy)
            }
            return try entry.answer(to: nil, message)
        }
    }
}

extension PeerGroup {
    /// - Parameter proposal: which of our own pending ones was just made; nil for the last.
    fileprivate func answer(to proposal: Proposal?, _ message: [UInt8]) throws -> Answer {
        let pending = group.pendingProposals.last {
            $0.sender == group.ownLeaf && (proposal == nil || $0.proposal == proposal)
        }
        guard let pending else { throw PeerError("the proposal is not among the pending ones") }
        return ["proposal": .hex(message), "proposal_ref": .hex(pending.reference.bytes)]
    }
}

extension Proposal {
    /// An entry of `by_value`.
    init(_ request: Request, for target: ProposalTarget, entropy: any EntropySource) throws {
        try self.init(try request.text("type"), request, for: target, entropy: entropy)
    }

    /// Reads the fields that a proposal of that type has.
    init(_ type: String, _ request: Request, for target: ProposalTarget, entropy: any EntropySource) throws {
        switch type {
        case "add":
            self = .add(try request.keyPackage("key_package"))
        case "remove":
            self = .remove(try request.leaf(identified: target.leaf))
        case "psk":
            self = .preSharedKey(
                PreSharedKeyID(
                    source: .external(id: try request.bytes("psk_id")), suite: target.suite, entropy: entropy))
        case "resumption_psk":
            self = .preSharedKey(
                PreSharedKeyID(
                    source: .resumption(
                        .application, groupID: try request.optionalBytes("psk_group_id") ?? target.groupID,
                        epoch: try request.integer("epoch")),
                    suite: target.suite, entropy: entropy))
        case "gce":
            self = .groupContextExtensions(try request.extensions("extensions"))
        case "reinit":
            self = .reInit(
                ReInit(
                    groupID: try request.bytes("group_id"), cipherSuite: .init(try request.integer("suite")),
                    extensions: try request.extensions("extensions")))
        default:
            throw PeerError("a proposal of type `\(type.prefix(40))` cannot be made this way")
        }
    }

    /// The protocol's name for the proposal's type.
    var typeName: String {
        switch self {
        case .add: "add"
        case .update: "update"
        case .remove: "remove"
        case .preSharedKey: "psk"
        case .reInit: "reinit"
        case .externalInit: "external_init"
        case .groupContextExtensions: "gce"
        }
    }
}

extension Request {
    /// The leaf that `index` or `identity` names.
    func leaf(identified: ([UInt8]) throws -> LeafIndex?) throws -> LeafIndex {
        if let index: UInt32 = try optionalInteger("index") { return LeafIndex(index) }
        if !has("identity") { throw PeerError("one of the fields `index` and `identity` is missing") }
        guard let leaf = try identified(try bytes("identity")) else {
            throw PeerError("no member has this identity")
        }
        return leaf
    }
}
