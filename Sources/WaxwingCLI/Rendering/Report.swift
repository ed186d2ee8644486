import ArgumentParser
import Waxwing
import WaxwingCore

/// Reports what became of requests.
struct Report: Encodable {
    /// done, queued, held or failed.
    var result: String
    /// The kind of request: message, invite, remove, cancelInvite, …
    var kind: String
    /// The number of the outbox row.
    var outbox: UInt64
    var group: String
    var groupID: String
    /// The message's sequence number in the group's log.
    var sequence: UInt64?
    /// Why it waits or has failed, for programs.
    var reason: String?
    /// The same in words.
    var explanation: String?
    /// Whom it is held for.
    var holds: [HoldView]?

    init(_ row: OutboxRow, _ outcome: Outcome, _ reader: AccountReader, _ lists: OutboxLists, holds: [HoldView] = [])
        throws
    {
        let group = try reader.group(row.group)
        kind = row.intent.kind
        outbox = row.order
        self.group = group?.shownName ?? ""
        groupID = group?.shownID ?? row.group.description
        switch outcome {
        case .done(let sequence):
            result = "done"
            self.sequence = sequence
        case .waiting(let pause):
            let pause = try PauseWords(pause, lists)
            result = "queued"
            reason = pause.token
            explanation = pause.words + (pause.needsLogin ? pause.outlook("") : "")
        case .failed(let why):
            result = "failed"
            reason = why.token
            explanation = try why.words(Names(reader))
        case .held:
            result = "held"
            reason = "held"
            explanation = holds.map(\.why).joined(separator: "; ")
            self.holds = holds
        }
    }

    /// Prints one line for each outcome; `done` is what to say if all went well.
    ///
    /// - Throws: after the last line: ``Failure`` if one was refused permanently (the last of several; the others are
    ///   printed before), `ExitCode` if one waits for something that does not come by itself.
    static func tell(
        _ outcomes: [(row: OutboxRow, outcome: Outcome)], _ account: Account, json: Bool,
        done: (OutboxRow, UInt64?) throws -> String
    ) throws {
        let reader = account.reader
        var refused: Failure?
        var status: ExitStatus?
        let (names, lists) = (Names(reader), OutboxLists(reader))
        let list =
            outcomes.contains { $0.outcome.isHeld } ? try OutboxList(reader, now: account.environment.clock()) : nil
        for (row, outcome) in outcomes {
            let holds = outcome.isHeld ? list?.holds(row.group) ?? [] : []
            if json { Console.print(try JSON.line(Report(row, outcome, reader, lists, holds: holds))) }
            switch outcome {
            case .held:
                status = .held
                if json { break }
                let isNewsAlone = holds.allSatisfy { $0.standing == "untold" }
                Console.print(
                    isNewsAlone
                        ? "held so that you know first; it goes out with the next sync"
                        : "held: it is safe here, and is not sent until you decide")
                for hold in holds { Console.print(hold.text) }
            case .done(let sequence):
                if !json { Console.print(try done(row, sequence)) }
            case .waiting(let pause):
                let pause = try PauseWords(pause, lists)
                status = pause.status ?? status
                if !json { Console.print("queued: \(pause.words)\(pause.outlook("it goes"))") }
            case .failed(let why):
                if let refused, !json { Console.tell(refused) }
                refused = Failure(
                    ExitStatus(why),
                    "failed: \(try OutboxWords.what(row.intent, names)): \(try why.words(names))",
                    hint: "it is kept: waxwing outbox retry \(row.order), or waxwing outbox discard \(row.order)")
            }
        }
        if let refused { throw refused }
        if let status { throw ExitCode(status.rawValue) }
    }
}

extension ExitStatus {
    /// The failure of a row, told apart for scripts if its reason matters to them.
    fileprivate init(_ trouble: Trouble) {
        switch trouble {
        case .unknownUser: self = .unknownName
        case .neitherMemberNorInvited: self = .notPossible
        default: self = .refused
        }
    }
}
