/// The record `s`: the present epoch without its tree and its message keys.
struct StateRecord: TLSEncodable, TLSDecodable {
    static let formatVersion: UInt16 = 1

    let context: GroupContext
    let ownLeaf: LeafIndex
    let confirmationTag: [UInt8]
    let epochAuthenticator: Secret
    let senderData: Secret
    let successor: ReInit?
    let epochSecrets: EpochSecrets?
    /// Decoded once the suite is known; nil exactly when `epochSecrets` is.
    let privateTree: [UInt8]?

    init(_ group: Group) {
        context = group.current.context
        ownLeaf = group.ownLeaf
        confirmationTag = group.current.confirmationTag
        epochAuthenticator = group.current.epochAuthenticator
        senderData = group.current.messageKeys.senderData
        successor = group.successor
        epochSecrets = group.current.own?.epoch
        privateTree = group.current.own?.privateTree.serialized
    }

    init(from reader: inout TLSReader) throws(MLSError) {
        let version: UInt16 = try reader.read()
        if version != Self.formatVersion { throw MLSError(.unsupported, "group record format \(version)") }
        context = try reader.read()
        ownLeaf = try reader.read()
        confirmationTag = try reader.readOpaque()
        epochAuthenticator = try reader.readSecret()
        senderData = try reader.readSecret()
        successor = try reader.readOptional()
        epochSecrets = try reader.readOptional()
        privateTree = epochSecrets == nil ? nil : try reader.readOpaque()
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(Self.formatVersion)
        writer.write(context)
        writer.write(ownLeaf)
        writer.writeOpaque(confirmationTag)
        writer.writeSecret(epochAuthenticator)
        writer.writeSecret(senderData)
        writer.writeOptional(successor)
        writer.writeOptional(epochSecrets)
        if let privateTree { writer.writeOpaque(privateTree) }
    }
}

/// A record `p`: a pending proposal.
struct ProposalRecord: TLSEncodable, TLSDecodable {
    let proposal: Proposal
    let origin: Sender
    let reference: ProposalRef
    let updateKey: [UInt8]?

    init(_ pending: PendingProposal) {
        proposal = pending.proposal
        origin = pending.origin
        reference = pending.reference
        updateKey = pending.updateKey?.raw.unwipedCopy
    }

    init(from reader: inout TLSReader) throws(MLSError) {
        proposal = try reader.read()
        origin = try reader.read()
        reference = try reader.read()
        updateKey = try reader.readOptionalOpaque()
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(proposal)
        writer.write(origin)
        writer.write(reference)
        writer.writeOptionalOpaque(updateKey)
    }
}

/// A record `h`: a past epoch without its message keys.
struct PastEpochRecord: TLSEncodable, TLSDecodable {
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

    func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(encodedContext)
        writer.write(leafCount)
        writer.writeSecret(senderData)
        writer.writeSecret(resumption)
        writer.writeVector { writer in
            for (index, member) in replaced.sorted(by: { $0.key < $1.key }) {
                writer.write(index)
                writer.writeOptional(member)
            }
        }
    }
}
