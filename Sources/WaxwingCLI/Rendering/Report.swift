import WaxwingCore

/// Tells what became of the things that were asked for.
struct Report: Encodable {
    /// done, queued or failed.
    var result: String
    /// What it was: message, invite, remove, cancelInvite, …
    var kind: String
    /// The number of the row in the outbox.
    var outbox: UInt64
    var group: String
    var groupID: String
    /// Where a message stands in the group's log.
    var sequence: UInt64?
    /// Why it waits or has failed.
    var reason: String?

    init(_ row: OutboxRow, _ outcome: Errand.Outcome, in group: GroupRecord?) {
        kind = row.intent.kind
        outbox = row.order
        self.group = group?.shownName ?? ""
        groupID = group?.shownID ?? row.group.description
        switch outcome {
        case .done(let sequence):
            result = "done"
            self.sequence = sequence
        case .waiting(let why):
            result = "queued"
            reason = why
        case .failed(let why):
            result = "failed"
            reason = why
        }
    }

    /// Prints one line for each outcome: `done` is what to say where all went well.
    ///
    /// - Throws: ``Failure`` after the last line where one was refused for good; of several the last, and the others are told before.
    static func tell(
        _ outcomes: [(row: OutboxRow, outcome: Errand.Outcome)], _ reader: AccountReader, json: Bool,
        done: (OutboxRow, UInt64?) throws -> String
    ) throws {
        var refused: Failure?
        let names = Names(reader)
        for (row, outcome) in outcomes {
            if json { Console.print(try JSON.line(Report(row, outcome, in: reader.group(row.group)))) }
            switch outcome {
            case .done(let sequence):
                if !json { Console.print(try done(row, sequence)) }
            case .waiting(let why):
                if !json { Console.print("queued: \(why.asClause) — it goes out with the next sync") }
            case .failed(let why):
                if let refused, !json { Console.tell(refused) }
                refused = Failure(
                    ExitStatus(KnownFailure(rawValue: why)),
                    "failed: \(try OutboxWords.what(row.intent, names)): \(why.asClause)",
                    hint: "it is kept: waxwing outbox retry \(row.order), or waxwing outbox discard \(row.order)")
            }
        }
        if let refused { throw refused }
    }
}

extension ExitStatus {
    /// Of a row that failed for a reason which scripts may want to tell apart, or for another one.
    fileprivate init(_ failure: KnownFailure?) {
        switch failure {
        case .unknownUser: self = .unknownName
        case .neitherMemberNorInvited: self = .notPossible
        case nil: self = .refused
        }
    }
}
