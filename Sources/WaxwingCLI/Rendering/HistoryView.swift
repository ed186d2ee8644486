import ConclaveProtocol
import WaxwingCore

/// One row of a group's history for scripts.
struct HistoryView: Encodable {
    struct Event: Encodable {
        var kind: String
        var actor: String
        var actorID: String
        var subject: String
        var subjectID: String
        /// How many messages; for rows about messages that never came.
        var count: UInt32?
    }

    /// message, system or unreadable.
    var kind: String
    var group: String
    var groupID: String
    /// Absent for rows that are not in the log yet.
    var sequence: UInt64?
    var era: UInt32
    var sender: String
    var senderID: String
    /// Whether it was signed with a key other than the sender's trusted one.
    var otherKey: Bool
    /// Unix seconds.
    var time: UInt64
    /// Whether the server gives it an earlier time than the row before it.
    var backInTime: Bool
    var epoch: UInt64
    var generation: UInt32?
    var messageID: String?
    /// SHA-256 of the ciphertext, in hex.
    var digest: String?
    var text: String?
    var events: [Event]?
    /// Why a row could not be opened, or why a message was not sent, for programs.
    var reason: String?
    /// The same in words.
    var explanation: String?
    /// sent, queued, sending, unconfirmed, held or failed; for messages.
    var state: String?
    /// The row in the outbox.
    var outbox: UInt64?

    init(
        _ row: HistoryRow, group: String, id: String, waiting: OutboxRow?, isBackInTime: Bool = false, _ names: Names
    ) throws {
        self.group = group
        groupID = id
        sequence = row.sequence
        era = row.era
        sender = try names.username(row.sender)
        senderID = row.sender.description
        otherKey = row.hasOtherKey
        time = row.time
        backInTime = isBackInTime
        epoch = row.epoch
        generation = row.generation
        messageID = row.messageID?.description
        digest = row.digest.isEmpty ? nil : hexEncode(row.digest)
        outbox = row.outboxOrder
        switch row.content {
        case .text(let text):
            kind = "message"
            self.text = text
            state = row.sequence == nil ? waiting.map(OutboxWords.state) ?? "queued" : "sent"
            if case .failed(let trouble) = waiting?.state {
                (reason, explanation) = (trouble.token, try trouble.words(names))
            }
        case .system(let events):
            kind = "system"
            self.events = try events.map { event in
                Event(
                    kind: "\(event.kind)", actor: try names.username(event.actor), actorID: event.actor.description,
                    subject: try names.username(event.subject), subjectID: event.subject.description,
                    count: event.kind == .missing ? event.count : nil)
            }
        case .unreadable(let reason):
            kind = "unreadable"
            self.reason = "\(reason)"
            explanation = HistoryLine.words(for: reason)
        }
    }
}
