import ConclaveProtocol
import MLS
import WaxwingClient
public import WaxwingCore

/// The disk or the account's state stopped something on the way; what was queued before that is in the outbox and goes out with the next sync. It
/// must not be asked for a second time.
public struct PartlyQueued: Error {
    public let underlying: any Error
    /// What is queued. Empty if nothing is.
    public let rows: [OutboxRow]
    /// Whether all that was asked for is among it.
    public let isAll: Bool

    init(_ underlying: any Error, _ rows: [OutboxRow], isAll: Bool) {
        self.underlying = underlying
        self.rows = rows
        self.isAll = isAll
    }
}

extension Errand {
    /// Why rows that are queued have to wait, where carrying them out ended in an error.
    ///
    /// - Throws: ``PartlyQueued`` for an error behind which waiting leads nowhere; the error itself if it is of no kind that is known here.
    static func pause(_ error: any Error, _ rows: [OutboxRow]) throws -> Pause {
        switch error {
        // As without a way to the server: it is safe here, and goes out when the trouble is over.
        case let error as StoreError where error.code.isPassing: return .disk(error)
        case is LeaseError: return .disk(error)
        case let error as AccountError:
            if case .fileUnusable = error { return .disk(error) }
            throw PartlyQueued(error, rows, isAll: true)
        case is StoreError, is CoreError, is TransportError, is ProtocolError, is MLSError:
            throw PartlyQueued(error, rows, isAll: true)
        default: throw error
        }
    }
}

extension StoreError.Code {
    /// Whether it may be over when the disk is looked after, with nothing lost.
    fileprivate var isPassing: Bool {
        switch self {
        case .full, .notPermitted, .staleRevision, .failed: true
        case .corrupt, .newerFormat: false
        }
    }
}

extension Client {
    /// Puts what a command asks for into the outbox.
    ///
    /// - Parameter revision: the store's revision before.
    /// - Returns: its row, also where the disk gave trouble and the row is there all the same; nil where the command needs none.
    package func queue(_ command: Command, since revision: UInt64) throws -> OutboxRow? {
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
    package func perform(_ command: Command, isDone: @Sendable (AccountReader) throws -> Bool) throws {
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
