import ConclaveProtocol
import MLS

/// A row of the server's log as it was fetched, before anything was done with it.
struct InboxRow: StoredRecord {
    static let version: UInt8 = 1

    var era: UInt32
    var sequence: UInt64
    var sender: ID
    var time: UInt64
    var message: [UInt8]

    init(era: UInt32, row: LogRow) {
        self.era = era
        sequence = row.sequence
        sender = row.sender
        time = row.createdAt
        message = row.message
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        era = try reader.read()
        sequence = try reader.read()
        sender = try reader.readID()
        time = try reader.read()
        message = try reader.readOpaque()
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(era)
        writer.write(sequence)
        writer.writeID(sender)
        writer.write(time)
        writer.writeOpaque(message)
    }
}

/// What is known of a ciphertext, under its SHA-256, or of a message, under its sender and id.
enum SeenRecord: StoredRecord, Equatable {
    static let version: UInt8 = 1

    /// Ours, sealed for this outbox row, not yet seen in the log.
    case own(order: UInt64)
    /// In the log at this place.
    case row(era: UInt32, sequence: UInt64)
    /// In the history at this place according to an archive; the log itself has not said so.
    case imported(era: UInt32, sequence: UInt64)

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .own(order: try reader.read())
        case 1: self = .row(era: try reader.read(), sequence: try reader.read())
        case 2: self = .imported(era: try reader.read(), sequence: try reader.read())
        default: throw MLSError(.malformed, "unknown seen record")
        }
    }

    func encode(to writer: inout TLSWriter) {
        switch self {
        case .own(let order):
            writer.write(UInt8(0))
            writer.write(order)
        case .row(let era, let sequence):
            writer.write(UInt8(1))
            writer.write(era)
            writer.write(sequence)
        case .imported(let era, let sequence):
            writer.write(UInt8(2))
            writer.write(era)
            writer.write(sequence)
        }
    }
}

/// A staged commit of our own, kept beside the group until the log decides.
struct StagedRecord: StoredRecord {
    static let version: UInt8 = 2

    /// How an external commit came about.
    struct Way: Sendable {
        /// What it was built on.
        var groupInfo: [UInt8]
        /// Who signed that.
        var signer: ID?
        /// Whether the log spoke against it.
        var isDoubtful: Bool
    }

    enum Purpose: Hashable, Sendable {
        /// In flight for an outbox row.
        case outbox(order: UInt64)
        /// Escrowed on the server until the invitee accepts.
        case escrow(invitee: ID)
        /// Brings us in, perhaps again, for an outbox row; there may be no group state to go with it.
        case external(order: UInt64)
    }

    var purpose: Purpose
    var baseEpoch: UInt64
    /// ``MLS/StagedCommit`` in its serialised form.
    var commit: [UInt8]
    /// Nil for commits from inside, and in records of version 1.
    var way: Way?

    var isEscrow: Bool {
        if case .escrow = purpose { true } else { false }
    }

    init(purpose: Purpose, baseEpoch: UInt64, commit: [UInt8], way: Way? = nil) {
        self.purpose = purpose
        self.baseEpoch = baseEpoch
        self.commit = commit
        self.way = way
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 0: purpose = .outbox(order: try reader.read())
        case 1: purpose = .escrow(invitee: try reader.readID())
        case 2: purpose = .external(order: try reader.read())
        default: throw MLSError(.malformed, "unknown purpose of a staged commit")
        }
        baseEpoch = try reader.read()
        commit = try reader.readOpaque()
        if version > 1, try reader.readBool() {
            way = Way(
                groupInfo: try reader.readOpaque(), signer: try reader.readOptionalID(),
                isDoubtful: try reader.readBool())
        }
    }

    func encode(to writer: inout TLSWriter) {
        switch purpose {
        case .outbox(let order):
            writer.write(UInt8(0))
            writer.write(order)
        case .escrow(let invitee):
            writer.write(UInt8(1))
            writer.writeID(invitee)
        case .external(let order):
            writer.write(UInt8(2))
            writer.write(order)
        }
        writer.write(baseEpoch)
        writer.writeOpaque(commit)
        writer.writeBool(way != nil)
        if let way {
            writer.writeOpaque(way.groupInfo)
            writer.writeOptionalID(way.signer)
            writer.writeBool(way.isDoubtful)
        }
    }
}

/// An invite to us that waits for our answer.
public struct InviteRecord: StoredRecord, Hashable {
    static let version: UInt8 = 1

    public var id: ID
    public var group: ID
    public var groupName: String
    public var groupAlias: String
    public var inviter: ID
    public var inviterName: String
    /// The server's clock, in Unix seconds.
    public var createdAt: UInt64

    init(_ invite: PendingInvite) {
        id = invite.invite
        group = invite.group
        groupName = invite.groupName
        groupAlias = InputRules.kept(alias: invite.groupAlias)
        inviter = invite.inviter
        inviterName = invite.inviterUsername
        createdAt = invite.createdAt
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        id = try reader.readID()
        group = try reader.readID()
        groupName = try reader.readText()
        groupAlias = try reader.readText()
        inviter = try reader.readID()
        inviterName = try reader.readText()
        createdAt = try reader.read()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeID(id)
        writer.writeID(group)
        writer.writeText(groupName)
        writer.writeText(groupAlias)
        writer.writeID(inviter)
        writer.writeText(inviterName)
        writer.write(createdAt)
    }
}
