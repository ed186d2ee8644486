import ConclaveProtocol
import MLS

/// One line of a conversation, as it can be read offline.
public struct HistoryRow: StoredRecord, Hashable {
    /// Version 2 has the reasons from ``Unreadable/lostBranch`` and the events from ``SystemEvent/Kind/left`` on,
    /// version 3 the events from ``SystemEvent/Kind/deviceReplaced`` on, version 4 those from
    /// ``SystemEvent/Kind/missing`` on, and ``Unreadable/otherLog``.
    static let version: UInt8 = 4

    /// What the line says.
    public enum Content: Hashable, Sendable {
        case text(String)
        /// What a commit changed, in order.
        case system([SystemEvent])
        /// A row that could not be opened, and why.
        case unreadable(Unreadable)
    }

    /// Why a row could not be opened. The raw value is part of the stored format.
    public enum Unreadable: UInt8, CaseIterable, Hashable, Sendable {
        /// It came when the keys of its epoch were deleted.
        case epochTooOld = 1
        case epochNotReached = 2
        /// Its tag, signature or ciphertext is invalid.
        case forged = 3
        case malformed = 4
        /// Its key was used for another message before.
        case replayed = 5
        /// Someone else's, sealed while we were out of step and without keys.
        case lostState = 6
        case tooLarge = 7, tooFarAhead = 8
        /// Its tag, signature or ciphertext is invalid in its epoch, and a commit that lost its race opened another
        /// branch of that epoch.
        case lostBranch = 9
        /// Sent from our own account with keys that are not here: those of a copy of the profile, or of its state
        /// before it was restored.
        case ownLostState = 10
        /// Addressed to another MLS group.
        case wrongGroup = 11
        /// Its sender's credential names no user.
        case unknownSender = 12
        /// A proposal or commit of a member that breaks the rules, or that refers to something that is not here.
        case refused = 13
        /// Its tag, signature or ciphertext is invalid, and the log is no longer the one that we followed
        /// (``SystemEvent/Kind/logReplaced``).
        case otherLog = 14
    }

    /// The server's sequence number; nil for what is still in the outbox.
    public var sequence: UInt64?
    /// Which numbering the sequence belongs to (servers may restart theirs).
    public var era: UInt32
    /// The sender by the MLS leaf or, for a row that could not be opened, by the server's word.
    public var sender: ID
    /// In Unix seconds, by the server's clock for what is in the log, and by our own for what waits.
    public var time: UInt64
    public var content: Content
    /// Whether the message is signed with a key that is not the trusted one of its sender.
    public var hasOtherKey: Bool
    public var epoch: UInt64
    /// The sender's generation in that epoch, for messages of others.
    public var generation: UInt32?
    /// Nil for messages of clients that send none.
    public var messageID: MessageID?
    /// SHA-256 of the ciphertext; empty while nothing is sealed.
    public var digest: [UInt8]
    /// The outbox row behind a message of our own that is not in the log yet.
    public var outboxOrder: UInt64?

    public init(
        sequence: UInt64?, era: UInt32, sender: ID, time: UInt64, content: Content,
        hasOtherKey: Bool = false, epoch: UInt64 = 0,
        generation: UInt32? = nil, messageID: MessageID? = nil, digest: [UInt8] = [], outboxOrder: UInt64? = nil
    ) {
        self.sequence = sequence
        self.era = era
        self.sender = sender
        self.time = time
        self.content = content
        self.hasOtherKey = hasOtherKey
        self.epoch = epoch
        self.generation = generation
        self.messageID = messageID
        self.digest = digest
        self.outboxOrder = outboxOrder
    }

    /// Whether it is known what the row says.
    public var isReadable: Bool {
        if case .unreadable = content { false } else { true }
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var events: [SystemEvent] = []
        let row = try HistoryPage.Row(from: &reader, &events)
        self.init(row, events, reader.bytes)
    }

    /// A row of a page, with what the page has for it.
    init(_ row: HistoryPage.Row, _ events: [SystemEvent], _ bytes: (Range<Int>) -> ArraySlice<UInt8>) {
        let content: Content =
            switch row.content {
            case .text(let place): .text(String(decoding: bytes(place), as: UTF8.self))
            case .system(let range): .system(Array(events[range]))
            case .unreadable(let reason): .unreadable(reason)
            }
        self.init(
            sequence: row.sequence, era: row.era, sender: row.sender, time: row.time, content: content,
            hasOtherKey: row.hasOtherKey, epoch: row.epoch, generation: row.generation,
            messageID: MessageID(bytes(row.messageID)), digest: Array(bytes(row.digest)), outboxOrder: row.outboxOrder)
    }

    var neededVersion: UInt8 {
        switch content {
        case .text: 1
        case .system(let events):
            events.map(\.kind.neededVersion).max() ?? 1
        case .unreadable(let reason):
            reason == .otherLog ? 4 : reason.rawValue > Unreadable.tooFarAhead.rawValue ? 2 : 1
        }
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeBool(sequence != nil)
        if let sequence { writer.write(sequence) }
        writer.write(era)
        writer.writeID(sender)
        writer.write(time)
        switch content {
        case .text(let text):
            writer.write(UInt8(0))
            writer.writeText(text)
        case .system(let events):
            writer.write(UInt8(1))
            writer.writeVector(events)
        case .unreadable(let why):
            writer.write(UInt8(2))
            writer.write(why.rawValue)
        }
        writer.writeBool(hasOtherKey)
        writer.write(epoch)
        writer.writeBool(generation != nil)
        if let generation { writer.write(generation) }
        writer.writeBool(messageID != nil)
        if let messageID { writer.writeRaw(messageID.bytes) }
        writer.writeOpaque(digest)
        writer.writeBool(outboxOrder != nil)
        if let outboxOrder { writer.write(outboxOrder) }
    }
}

/// One change that a commit made, or that we noticed, for people to read.
public struct SystemEvent: Hashable, Sendable, TLSEncodable, TLSDecodable {
    /// What happened. The raw value is part of the stored format.
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        /// The group was created by the actor.
        case created = 1
        /// The actor brought the subject in.
        case joined = 2
        /// The subject came back by themselves, with an external commit.
        case rejoined = 3
        /// The actor removed the subject.
        case removed = 4
        /// The actor changed the keys.
        case rotated = 5
        /// The subject's signature key is not the one we knew.
        case identityChanged = 6
        /// We are out: the server says so, or the log.
        case weWereRemoved = 7
        case weLeft = 8
        case groupDeleted = 9
        /// The actor changed the group's settings (extensions).
        case settingsChanged = 10
        /// The subject left, or closed the account; the actor's client removed them from the tree.
        case left = 11
        /// The server no longer lists the subject, for whatever reason; the actor's client removed them from the tree.
        case unlisted = 12
        /// We are out: the server no longer listed us, and the actor's client removed us from the tree.
        case weWereUnlisted = 13
        /// The subject joined from outside in place of their own leaf, with another signature key.
        case deviceReplaced = 14
        /// The subject changed their signature key, and the old one signed the new one.
        case keyChanged = 15
        /// The subject was in the group when we came back, and had not been there before.
        case found = 16
        /// The subject was no longer in the group when we came back.
        case gone = 17
        /// The subject joined, and no one who may do so let them in: messages are held.
        case heldAsStranger = 18
        /// The subject's key is not the one that is trusted, or new: messages are held.
        case heldForKey = 19
        /// The actor, who is not accepted or not an admin, added the subject: messages are held.
        case heldForAdder = 20
        /// Someone else is in the group under our own name: messages are held.
        case ourNameTaken = 21
        /// Messages of the subject never came, ``SystemEvent/count`` of them.
        case missing = 22
        /// In the log as the server shows it now, a commit of the actor is in the place of another one that we
        /// followed.
        case logReplaced = 23
        /// The actor tried to add the subject, which everyone refuses.
        case triedToAdd = 24
        /// The actor tried to remove the subject, which everyone refuses.
        case triedToRemove = 25
        /// The actor tried to end the group in favour of another (ReInit), which everyone refuses.
        case triedToReplaceGroup = 26
        /// The actor tried to tie the group to a secret that others may not have (PSK), which everyone refuses.
        case triedToNeedSecret = 27
        /// The actor tried to change the group's settings, which everyone refuses.
        case triedToChangeSettings = 28
        /// Someone tried to join from outside under the actor's id, which everyone refuses.
        case triedToEnter = 29
        /// The actor sent some other change, which everyone refuses.
        case triedToChange = 30
        /// We are out: another copy of this profile came back from outside, in our place.
        case copyTookOver = 31

        /// The version of a history row that can hold it.
        fileprivate var neededVersion: UInt8 {
            rawValue > Self.ourNameTaken.rawValue
                ? 4 : rawValue > Self.weWereUnlisted.rawValue ? 3 : rawValue > Self.settingsChanged.rawValue ? 2 : 1
        }
    }

    public var kind: Kind
    public var actor: ID
    public var subject: ID
    /// How many; 1 for all but ``Kind/missing``.
    public var count: UInt32

    public init(_ kind: Kind, actor: ID, subject: ID? = nil, count: UInt32 = 1) {
        self.kind = kind
        self.actor = actor
        self.subject = subject ?? actor
        self.count = count
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        guard let kind = Kind(rawValue: try reader.read()) else { throw MLSError(.malformed, "unknown system event") }
        self.kind = kind
        actor = try reader.readID()
        subject = try reader.readID()
        count = kind == .missing ? try reader.read() : 1
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(kind.rawValue)
        writer.writeID(actor)
        writer.writeID(subject)
        if kind == .missing { writer.write(count) }
    }
}
