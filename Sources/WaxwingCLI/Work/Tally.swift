import ConclaveProtocol
import Synchronization
import WaxwingCore

/// Counts what a sync brings, and shows its progress.
final class Tally: Sendable {
    struct Counts: Sendable {
        var received = 0
        var sent = 0
        /// Other requests that are done.
        var carriedOut = 0
        /// Rows that were refused. One may have been retried since.
        var refused: Set<UInt64> = []
        /// Rows that could not be opened.
        var unreadable = 0
        var invites = 0
        var keysChanged = 0
        /// Users for whom the server gives another name than before.
        var claims: [ID: String] = [:]
        /// Members reached by a message of ours for the first time.
        var reached: Set<ID> = []
        /// Answers that made no sense: something may have been missed.
        var unusable: Trouble?
        /// Whether something else writes with this profile's keys.
        fileprivate var isElsewhere = false
        fileprivate var applied: [ID: Int] = [:]
        fileprivate var waiting: [ID: Int] = [:]
    }

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    static let elsewhere =
        "another copy of this profile has written, or this one was restored from a backup; all groups get new keys"

    func take(_ notice: Notice) {
        switch notice {
        case .history(_, let row) where row.sequence != nil && row.generation != nil:
            state.withLock { $0.received += 1 }
        case .history(_, let row):
            if case .unreadable = row.content { state.withLock { $0.unreadable += 1 } }
        case .done(let row, _):
            if case .message = row.intent {
                state.withLock { $0.sent += 1 }
            } else if !row.isHousekeeping {
                state.withLock { $0.carriedOut += 1 }
            }
        case .invite: state.withLock { $0.invites += 1 }
        case .unusableAnswer(let trouble): state.withLock { $0.unusable = trouble }
        case .nameClaimed(let user, let name): state.withLock { $0.claims[user] = name }
        case .identityChanged: state.withLock { $0.keysChanged += 1 }
        case .progress(let group, let applied, let waiting):
            let (done, left) = state.withLock { counts in
                counts.applied[group] = applied
                counts.waiting[group] = waiting
                return (counts.applied.values.reduce(0, +), counts.waiting.values.reduce(0, +))
            }
            Console.progress(
                left > 0 ? "catching up: \(done) rows read, at least \(left) to go" : "catching up: \(done) rows read")
        case .outbox(let row): if row.isFailed { _ = state.withLock { $0.refused.insert(row.order) } }
        case .reached(_, let users): state.withLock { $0.reached.formUnion(users) }
        case .writtenElsewhere:
            let isFirst = state.withLock { counts in
                defer { counts.isElsewhere = true }
                return !counts.isElsewhere
            }
            if isFirst { Console.note("note: " + Self.elsewhere) }
        case .inviteGone, .link, .clocksDiffer, .profileMoved: break
        }
    }
}
