/// The record `s`: the present epoch without its tree and its message keys.
struct StateRecord {
    static let formatVersion: UInt16 = 2

    let context: GroupContext
    let ownLeaf: LeafIndex
    /// The number of nodes of the tree that are not blank, to detect missing records.
    let filledNodes: UInt32
    let confirmationTag: [UInt8]
    let epochAuthenticator: Secret
    let senderData: Secret
    let successor: ReInit?
    let own: EpochState.OwnSecrets?

    init(_ group: Group) {
        context = group.current.context
        ownLeaf = group.ownLeaf
        filledNodes = group.current.tree.filledNodes
        confirmationTag = group.current.confirmationTag
        epochAuthenticator = group.current.epochAuthenticator
        senderData = group.current.messageKeys.senderData
        successor = group.successor
        own = group.current.own
    }

    /// - Throws: `malformed` also for a group of another cipher suite; `invalidKey`; `unsupported` for another format.
    init(decoding bytes: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        var reader = TLSReader(bytes)
        let version: UInt16 = try reader.read()
        if version != Self.formatVersion { throw MLSError(.unsupported, "group record format \(version)") }
        context = try reader.read()
        if context.suite != crypto.suite { throw MLSError(.malformed, "the group has another cipher suite") }
        ownLeaf = try reader.read()
        filledNodes = try reader.read()
        confirmationTag = try reader.readOpaque()
        epochAuthenticator = try reader.readSecret()
        senderData = try reader.readSecret()
        successor = try reader.readOptional()
        if let epoch: EpochSecrets = try reader.readOptional() {
            // In place: its keys must not be copied into an array of their own.
            var content = try reader.readSubReader()
            own = .init(privateTree: try PrivateTree(from: &content, crypto: crypto), epoch: epoch)
        } else {
            own = nil
        }
        try reader.expectEnd()
    }

    var encoded: [UInt8] {
        let context = context.encoded
        var writer = TLSWriter(
            reservingCapacity: context.count + confirmationTag.count + epochAuthenticator.capacity
                + senderData.capacity + (successor?.encoded.count ?? 0)
                + (own.map { $0.epoch.capacity + $0.privateTree.capacity } ?? 0) + 64)
        writer.write(Self.formatVersion)
        writer.writeRaw(context)
        writer.write(ownLeaf)
        writer.write(filledNodes)
        writer.writeOpaque(confirmationTag)
        writer.writeSecret(epochAuthenticator)
        writer.writeSecret(senderData)
        writer.writeOptional(successor)
        writer.writeOptional(own?.epoch)
        if let own { writer.writeVector { own.privateTree.encode(to: &$0) } }
        return writer.bytes
    }
}

/// A record `p` or `o`: a pending proposal.
struct ProposalRecord: TLSDecodable {
    let proposal: Proposal
    let origin: Sender
    let reference: ProposalRef
    let updateKey: Secret?

    init(_ pending: PendingProposal) {
        proposal = pending.proposal
        origin = pending.origin
        reference = pending.reference
        updateKey = pending.updateKey?.raw
    }

    init(from reader: inout TLSReader) throws(MLSError) {
        proposal = try reader.read()
        origin = try reader.read()
        reference = try reader.read()
        switch try reader.read(UInt8.self) {
        case 0: updateKey = nil
        case 1: updateKey = try reader.readSecret()
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
    }

    var encoded: [UInt8] {
        let proposal = proposal.encoded
        var writer = TLSWriter(
            reservingCapacity: proposal.count + reference.bytes.count + (updateKey?.capacity ?? 0) + 32)
        writer.writeRaw(proposal)
        writer.write(origin)
        writer.write(reference)
        writer.write(UInt8(updateKey == nil ? 0 : 1))
        if let updateKey { writer.writeSecret(updateKey) }
        return writer.bytes
    }
}

/// A record `h`: a past epoch without its message keys.
struct PastEpochRecord: TLSDecodable {
    let encodedContext: [UInt8]
    let leafCount: UInt32
    let senderData: Secret
    let resumption: Secret
    let replaced: [LeafIndex: Member?]

    init(_ past: PastEpoch) {
        encodedContext = past.encodedContext
        leafCount = past.messageKeys.secretTree.size.leafCount
        senderData = past.messageKeys.senderData
        resumption = past.resumption
        replaced = past.replaced
    }

    init(from reader: inout TLSReader) throws(MLSError) {
        encodedContext = try reader.readOpaque()
        leafCount = try reader.read()
        senderData = try reader.readSecret()
        resumption = try reader.readSecret()
        var entries = try reader.readSubReader()
        var replaced: [LeafIndex: Member?] = [:]
        while !entries.isAtEnd {
            let index: LeafIndex = try entries.read()
            replaced.updateValue(try entries.readOptional(Member.self), forKey: index)
        }
        self.replaced = replaced
    }

    var encoded: [UInt8] {
        var roster = TLSWriter()
        for (index, member) in replaced.sorted(by: { $0.key < $1.key }) {
            roster.write(index)
            roster.writeOptional(member)
        }
        var writer = TLSWriter(
            reservingCapacity: encodedContext.count + senderData.capacity + resumption.capacity + roster.bytes.count
                + 16)
        writer.writeOpaque(encodedContext)
        writer.write(leafCount)
        writer.writeSecret(senderData)
        writer.writeSecret(resumption)
        writer.writeOpaque(roster.bytes)
        return writer.bytes
    }
}
