/// A commit that has been made or checked, and the group after it.
///
/// To drop the commit, drop this value. Several may be staged on one epoch; ``Group/merge(_:)`` applies one of them.
public struct StagedCommit: Sendable {
    /// The commit as MLSMessage.
    public let message: [UInt8]
    /// For the members that the commit adds; MLSMessage. Nil on received commits and if none is added.
    public let welcome: [UInt8]?
    /// Own commits, unless told otherwise: the GroupInfo of the new epoch with external_pub and ratchet_tree;
    /// MLSMessage.
    public let groupInfo: [UInt8]?
    public let groupID: [UInt8]
    /// The epoch that the commit ends.
    public let baseEpoch: UInt64
    /// The group in the new epoch; nil when the commit removes this member.
    public let next: Group?
    /// Its author; after an external commit, the new member.
    public let committer: Member
    public let changes: CommitChanges
    /// Received commits: the members who proposed the new leaves, if that was not the committer. Not serialized.
    public internal(set) var proposers: [LeafIndex: LeafIndex] = [:]
    public let authenticatedData: [UInt8]
    public let confirmationTag: [UInt8]
    /// The transcript that the commit was made for: no other group at the same epoch accepts it.
    let baseTranscript: [UInt8]
    /// The key that the message was sealed with, to be consumed by the merge; nil for a PublicMessage.
    let sealedWith: (id: SecretTree.RatchetID, generation: UInt32)?
}

extension StagedCommit {
    private static let formatVersion: UInt16 = 2

    /// Everything, secrets included, to be stored and read back by ``init(serialized:crypto:configuration:)``.
    public func serialized() -> [UInt8] {
        let records = next?.records() ?? []
        let parts = [
            message, welcome ?? [], groupInfo ?? [], groupID, baseTranscript, authenticatedData, confirmationTag,
        ]
        let (author, changes) = (committer.encoded, changes.encoded)
        var writer = TLSWriter(
            reservingCapacity: parts.reduce(author.count + changes.count + 64) { $0 + $1.count + 5 }
                + records.reduce(8) { $0 + $1.key.count + $1.value.count + 8 })
        writer.write(Self.formatVersion)
        writer.writeOpaque(message)
        writer.writeOptionalOpaque(welcome)
        writer.writeOptionalOpaque(groupInfo)
        writer.writeOpaque(groupID)
        writer.write(baseEpoch)
        writer.writeOpaque(baseTranscript)
        writer.writeRaw(author)
        writer.writeRaw(changes)
        writer.writeOpaque(authenticatedData)
        writer.writeOpaque(confirmationTag)
        writer.write(UInt8(sealedWith == nil ? 0 : 1))
        if let sealedWith {
            writer.write(sealedWith.id)
            writer.write(sealedWith.generation)
        }
        if let next {
            writer.write(UInt8(1))
            writer.write(next.configuration.flags)
            writer.write(UInt8(next.configuration.allowsCredentialChange ? 1 : 0))
            writer.write(UInt32(clamping: min(next.configuration.paddingBlock, Limits.paddingBlock)))
            writer.write(UInt32(clamping: next.configuration.pastEpochs))
            writer.writeVector { writer in
                for record in records {
                    writer.writeOpaque(record.key)
                    writer.writeOpaque(record.value)
                }
            }
        } else {
            writer.write(UInt8(0))
        }
        return writer.bytes
    }

    /// - Parameter given: the configuration of ``next``; as it was stored when nil, but with the default
    ///   ``GroupConfiguration/authentication``, which cannot be stored.
    /// - Throws: `malformed`, `unsupported` for another format.
    public init(
        serialized: [UInt8], crypto: any SuiteCrypto, configuration given: GroupConfiguration? = nil
    ) throws(MLSError) {
        var reader = TLSReader(serialized)
        let version: UInt16 = try reader.read()
        if version != Self.formatVersion { throw MLSError(.unsupported, "staged commit format \(version)") }
        message = try reader.readOpaque()
        welcome = try reader.readOptionalOpaque()
        groupInfo = try reader.readOptionalOpaque()
        groupID = try reader.readOpaque()
        baseEpoch = try reader.read()
        baseTranscript = try reader.readOpaque()
        committer = try reader.read()
        changes = try reader.read()
        authenticatedData = try reader.readOpaque()
        confirmationTag = try reader.readOpaque()
        switch try reader.read(UInt8.self) {
        case 0: sealedWith = nil
        case 1: sealedWith = (try reader.read(), try reader.read())
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
        switch try reader.read(UInt8.self) {
        case 0: next = nil
        case 1:
            var configuration = GroupConfiguration()
            configuration.flags = try reader.read()
            configuration.allowsCredentialChange = try reader.read(UInt8.self) != 0
            configuration.paddingBlock = Int(try reader.read(UInt32.self))
            if configuration.paddingBlock > Limits.paddingBlock {
                throw MLSError(.malformed, "a staged commit pads to \(configuration.paddingBlock) bytes")
            }
            configuration.pastEpochs = Int(try reader.read(UInt32.self))
            var content = try reader.readSubReader()
            var records: [(key: [UInt8], value: [UInt8])] = []
            while !content.isAtEnd { records.append((try content.readOpaque(), try content.readOpaque())) }
            var group = try Group.restore(records, crypto: crypto, configuration: given ?? configuration)
            // It has never been stored as a group of its own.
            group.journal = Journal()
            group.current.tree.markNew()
            next = group
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
        try reader.expectEnd()
        if let next, next.groupID != groupID || next.epoch != baseEpoch &+ 1 {
            throw MLSError(.malformed, "a staged commit does not fit its next group")
        }
    }
}

extension TLSWriter {
    mutating func writeOptionalOpaque(_ value: [UInt8]?) {
        write(UInt8(value == nil ? 0 : 1))
        if let value { writeOpaque(value) }
    }
}

extension TLSReader {
    mutating func readOptionalOpaque() throws(MLSError) -> [UInt8]? {
        switch try read(UInt8.self) {
        case 0: nil
        case 1: try readOpaque()
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
    }
}

extension GroupConfiguration {
    /// The switches that came before others had to share their byte.
    fileprivate var flags: UInt8 {
        get { (handshakeEncryption ? 1 : 0) | (acceptsNewMemberProposals ? 2 : 0) | (sendsGREASE ? 4 : 0) }
        set {
            handshakeEncryption = newValue & 1 != 0
            acceptsNewMemberProposals = newValue & 2 != 0
            sendsGREASE = newValue & 4 != 0
        }
    }
}
