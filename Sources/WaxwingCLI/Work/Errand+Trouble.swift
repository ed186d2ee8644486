import WaxwingClient
import WaxwingCore

/// What is said where the disk gives trouble on the way: whether something was queued is for the disk to say, and what is queued must not be asked
/// for a second time.
extension Errand {
    /// An error behind which rows stay queued, or none.
    static func told(_ error: any Error, behind rows: [OutboxRow]) -> any Error {
        guard let failure = Failure(explaining: error) else { return error }
        if !rows.isEmpty {
            return Failure(
                failure.status, "\(failure.message.asClause); what came before it is queued: \(numbers(rows))",
                hint: "that goes out with the next sync: ask only for the rest again")
        }
        guard failure.status == .diskFull else { return error }
        return Failure(.diskFull, "nothing was queued: \(failure.message.asClause)", hint: failure.hint)
    }

    /// Why rows that are queued have to wait, where carrying them out ended in an error.
    ///
    /// - Throws: an error behind which waiting leads nowhere.
    static func pause(_ error: any Error, _ rows: [OutboxRow]) throws -> Pause {
        guard let failure = Failure(explaining: error) else { throw error }
        // As without a way to the server: it is safe here, and goes out when the trouble is over.
        if failure.status == .diskFull || failure.status == .profileUnusable {
            return Pause(words: failure.message.asClause)
        }
        throw Failure(
            failure.status, "\(failure.message.asClause); what you asked for is queued: \(numbers(rows))",
            hint: failure.hint)
    }

    private static func numbers(_ rows: [OutboxRow]) -> String {
        (rows.count == 1 ? "row " : "rows ") + rows.map { "\($0.order)" }.joined(separator: ", ")
    }
}

extension Client {
    /// Puts what a command asks for into the outbox.
    ///
    /// - Parameter revision: the store's revision before.
    /// - Returns: its row, also where the disk gave trouble and the row is there all the same; nil where the command needs none.
    func queue(_ command: Command, since revision: UInt64) throws -> OutboxRow? {
        do {
            if case .queued(let row) = try perform(command) { return row }
            return nil
        } catch let error as StoreError {
            guard try reader.revision() != revision,
                let row = try reader.outbox().last(where: { command.asks(for: $0) })
            else { throw error }
            return row
        }
    }

    /// Carries out a command that leaves a mark; where the disk gave trouble and the mark is there all the same, that is no failure.
    func perform(_ command: Command, isDone: @Sendable (AccountReader) throws -> Bool) throws {
        do {
            try perform(command)
        } catch let error as StoreError {
            guard try isDone(reader) else { throw error }
        }
    }
}

extension Command {
    /// Whether a row may stand for it.
    fileprivate func asks(for row: OutboxRow) -> Bool {
        switch (self, row.intent) {
        case (.send(let group, let text), .message(let queued, _)): row.group == group && queued == text
        case (.send, _), (_, .message): false
        default: true
        }
    }
}
