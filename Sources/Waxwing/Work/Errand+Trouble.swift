import ConclaveProtocol
import MLS
import WaxwingClient
public import WaxwingCore

/// The disk or the account's state stopped something halfway. What was queued before is in the outbox and goes out with
/// the next sync, so it must not be asked for again.
public struct PartlyQueued: Error {
    public let underlying: any Error
    /// The rows that are queued. Empty if there are none.
    public let rows: [OutboxRow]
    /// Whether everything that was asked for is queued.
    public let isAll: Bool

    init(_ underlying: any Error, _ rows: [OutboxRow], isAll: Bool) {
        self.underlying = underlying
        self.rows = rows
        self.isAll = isAll
    }
}

extension Errand {
    /// Why queued rows have to wait, after an attempt to carry them out ended in an error.
    ///
    /// - Throws: ``PartlyQueued`` for an error that waiting does not mend; the error itself if its kind is not known
    ///   here.
    static func pause(_ error: any Error, _ rows: [OutboxRow]) throws -> Pause {
        switch error {
        // The same as without a network: the row is safe here, and goes out when the trouble is over.
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
    /// Whether mending the disk may end the error, with nothing lost.
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
    /// - Returns: its row, even if the disk failed but the row was written anyway; nil if the command needs none.
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

    /// Carries out a command that leaves a mark. If the disk fails but the mark was written, that is not a failure.
    package func perform(_ command: Command, isDone: @Sendable (AccountReader) throws -> Bool) throws {
        do {
            try perform(command)
        } catch let error as StoreError {
            guard try isDone(reader) else { throw error }
        }
    }
}

extension Command {
    /// Whether a row may stand for the command.
    fileprivate func asks(for row: OutboxRow) -> Bool {
        switch (self, row.intent) {
        case (.send(let group, let text), .message(let queued, _)): row.group == group && queued == text
        case (.send, _), (_, .message): false
        default: true
        }
    }
}
