import ConclaveProtocol
import MLS

/// What a person (or the client itself) wants to happen in a group. It outlives every try to make it so.
public enum Intent: Hashable, Sendable {
    case message(text: String, id: MessageID)
    case create(name: String, alias: String)
    case rotate
    case invite(username: String, user: ID?)
    /// An escrowed invite was built for an epoch that is over: cancel it and escrow a fresh one.
    case renewInvite(user: ID)
    case remove(username: String, user: ID?)
    /// Take back an invite that was not accepted yet, whoever sent it.
    case cancelInvite(username: String, user: ID)
    /// A user who is off the server's roster is still in the tree.
    case evict(user: ID)
    case leave
    /// Come back into a group whose state is lost or dead, by an external commit.
    case rejoin
    case accept(invite: ID)
    case decline(invite: ID)
    /// The server's GroupInfo may be that of a dead commit: put the living one there.
    case refreshGroupInfo
    /// Say in a commit that we let someone in, for those who cannot tell (``VouchNote``).
    case vouch
}

extension Intent {
    /// Whether rows asked for later may go first while this one waits for its time.
    var letsOthersPass: Bool {
        switch self {
        case .message, .create, .accept, .rejoin, .leave: false
        case .rotate, .invite, .renewInvite, .remove, .cancelInvite, .evict, .decline, .refreshGroupInfo,
            .vouch:
            true
        }
    }
}

/// Names one message for good, whatever ciphertext carries it: 16 random bytes, sent in the `authenticated_data` of its
/// PrivateMessage.
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// Nil unless there are exactly 16 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    public var description: String { hexEncode(bytes) }
}

/// One thing that waits to be carried out, in the order it was asked for.
public struct OutboxRow: StoredRecord, Hashable {
    static let version: UInt8 = 4
    /// Version 3 has the state ``State/held``, and version 4 has a ``Trouble`` where those before it had a sentence.
    var neededVersion: UInt8 {
        if trouble != nil || isFailed { return 4 }
        return state == .held ? 3 : 2
    }

    /// How far the row has come.
    public enum State: Hashable, Sendable {
        case queued
        /// A request for it is under way.
        case sending
        /// A request went out and no answer came: the log will tell.
        case unconfirmed
        /// Refused for good; kept until it is retried or discarded.
        case failed(Trouble)
        /// Someone is in the group whom it must not reach (``RoomRecord/holds``); a person decides.
        case held
    }

    /// A message sealed under one epoch.
    struct Sealed: Hashable, Sendable {
        var epoch: UInt64
        var ciphertext: [UInt8]
    }

    /// The row's number in this profile: its order, and its name on the command line.
    public internal(set) var order: UInt64
    public let group: ID
    public var intent: Intent
    public var state: State
    public let createdAt: Instant
    /// Whether a person asked for it, rather than the client itself.
    public let isByPerson: Bool
    /// Requests made so far for the step it is at.
    public var attempts: UInt32
    /// Completed steps: a request of a later step is a new request, even if it looks like an earlier one.
    var steps: UInt32
    /// What the last try ran into; nil if nothing did.
    public var trouble: Trouble?
    /// Not to be tried again before then.
    public var notBefore: Deadline?
    var sealed: Sealed?

    init(order: UInt64, group: ID, intent: Intent, isByPerson: Bool = true, createdAt: Instant) {
        self.order = order
        self.group = group
        self.intent = intent
        self.isByPerson = isByPerson
        self.createdAt = createdAt
        state = .queued
        attempts = 0
        steps = 0
        trouble = nil
        notBefore = nil
        sealed = nil
    }

    /// Whether the message was answered with a number of the past, and the log was searched for it since. Messages have
    /// no steps otherwise.
    var wasLookedFor: Bool {
        get { steps > 0 }
        set { steps = newValue ? 1 : 0 }
    }

    /// Why it was refused for good; nil if it was not.
    public var failure: Trouble? { if case .failed(let trouble) = state { trouble } else { nil } }

    public var isFailed: Bool { failure != nil }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        order = try reader.read()
        group = try reader.readID()
        intent = try Intent(from: &reader)
        isByPerson = try reader.readBool()
        switch try reader.read(UInt8.self) {
        case 0: state = .queued
        case 1: state = .sending
        case 2: state = .unconfirmed
        case 3 where version < 4: state = .failed(Trouble(sentence: try reader.readText()))
        case 3: state = .failed(try reader.read())
        case 4: state = .held
        default: throw MLSError(.malformed, "unknown outbox state")
        }
        createdAt = Instant(milliseconds: try reader.read())
        attempts = try reader.read()
        steps = try reader.read()
        trouble = version < 4 ? .waiting(sentence: try reader.readText()) : try reader.readOptional()
        // Version 1 had a moment of the wall clock.
        if version == 1 { _ = try reader.read(UInt64.self) } else { notBefore = try reader.readDeadline() }
        if try reader.readBool() {
            sealed = Sealed(epoch: try reader.read(), ciphertext: try reader.readOpaque())
        }
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(order)
        writer.writeID(group)
        writer.write(intent)
        writer.writeBool(isByPerson)
        switch state {
        case .queued: writer.write(UInt8(0))
        case .sending: writer.write(UInt8(1))
        case .unconfirmed: writer.write(UInt8(2))
        case .failed(let reason):
            writer.write(UInt8(3))
            writer.write(reason)
        case .held: writer.write(UInt8(4))
        }
        writer.write(createdAt.milliseconds)
        writer.write(attempts)
        writer.write(steps)
        writer.writeOptional(trouble)
        writer.write(notBefore)
        writer.writeBool(sealed != nil)
        if let sealed {
            writer.write(sealed.epoch)
            writer.writeOpaque(sealed.ciphertext)
        }
    }
}

extension Intent: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 0:
            let text = try reader.readText()
            guard let id = MessageID(try reader.readRaw(16)) else { throw MLSError(.malformed, "a message id") }
            self = .message(text: text, id: id)
        case 1: self = .create(name: try reader.readText(), alias: try reader.readText())
        case 2: self = .rotate
        case 3: self = .invite(username: try reader.readText(), user: try reader.readOptionalID())
        case 4: self = .renewInvite(user: try reader.readID())
        case 5: self = .remove(username: try reader.readText(), user: try reader.readOptionalID())
        case 6: self = .evict(user: try reader.readID())
        case 7: self = .leave
        case 8: self = .rejoin
        case 9: self = .accept(invite: try reader.readID())
        case 10: self = .decline(invite: try reader.readID())
        case 11: self = .refreshGroupInfo
        case 13: self = .vouch
        case 12: self = .cancelInvite(username: try reader.readText(), user: try reader.readID())
        default: throw MLSError(.malformed, "unknown intent")
        }
    }

    package func encode(to writer: inout TLSWriter) {
        switch self {
        case .message(let text, let id):
            writer.write(UInt8(0))
            writer.writeText(text)
            writer.writeRaw(id.bytes)
        case .create(let name, let alias):
            writer.write(UInt8(1))
            writer.writeText(name)
            writer.writeText(alias)
        case .rotate: writer.write(UInt8(2))
        case .invite(let username, let user):
            writer.write(UInt8(3))
            writer.writeText(username)
            writer.writeOptionalID(user)
        case .renewInvite(let user):
            writer.write(UInt8(4))
            writer.writeID(user)
        case .remove(let username, let user):
            writer.write(UInt8(5))
            writer.writeText(username)
            writer.writeOptionalID(user)
        case .evict(let user):
            writer.write(UInt8(6))
            writer.writeID(user)
        case .leave: writer.write(UInt8(7))
        case .rejoin: writer.write(UInt8(8))
        case .accept(let invite):
            writer.write(UInt8(9))
            writer.writeID(invite)
        case .decline(let invite):
            writer.write(UInt8(10))
            writer.writeID(invite)
        case .refreshGroupInfo: writer.write(UInt8(11))
        case .vouch: writer.write(UInt8(13))
        case .cancelInvite(let username, let user):
            writer.write(UInt8(12))
            writer.writeText(username)
            writer.writeID(user)
        }
    }
}
