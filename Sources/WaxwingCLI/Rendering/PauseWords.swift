import Waxwing
import WaxwingCore

/// Why something waits, in words for people.
struct PauseWords {
    /// For programs; it keeps its meaning.
    var token: String
    var words: String
    /// The exit code for it; nil if all went as people without a network expect.
    var status: ExitStatus?
    /// Whether someone must log in before a sync can carry it out.
    var needsLogin = false

    /// - Parameter lists: what is read of the outbox once for many.
    init(_ pause: Pause, _ lists: OutboxLists) throws {
        switch pause {
        case .notTried(let isSignedOut):
            (token, words) = ("notTried", "nothing was tried, as you asked")
            needsLogin = isSignedOut
        case .signedOut(let isOver):
            let failure = Failure.signedOut(isOver: isOver)
            (token, words) = (isOver ? "sessionOver" : "signedOut", failure.message)
            (status, needsLogin) = (failure.status, true)
        case .cut(let trouble, let until, let seen):
            (token, words) = (trouble.cause.rawValue, trouble.reason.onOneLine)
            status = trouble.cause == .askedToWait ? .askedToWait : nil
            if trouble.isByServer {
                words += "; next try not before \(TimeText.second(until, now: seen))"
            }
        case .unreachable: (token, words) = ("unreachable", "the server cannot be reached")
        case .troubleElsewhere(let trouble): (token, words) = (trouble.token, trouble.words)
        case .disk(let error):
            let failure = Failure(explaining: error)
            (token, words) = ("\(failure?.status ?? .other)", failure?.message ?? "\(error)")
        case .putOff(let row, let seen):
            let why = try lists.list(seen).why(row)
            (token, words) = (why.token, why.words)
        }
    }

    /// What will become of it, as the end of a sentence.
    func outlook(_ goes: String) -> String {
        needsLogin ? " — nothing is sent before `waxwing login`" : " — \(goes) out with the next sync"
    }
}

/// The outbox as it is when the first words about it are asked for.
final class OutboxLists {
    private let reader: AccountReader
    private var known: OutboxList?

    init(_ reader: AccountReader) { self.reader = reader }

    func list(_ now: Moment) throws -> OutboxList {
        if let known { return known }
        let list = try OutboxList(reader, now: now)
        known = list
        return list
    }
}
