import ConclaveProtocol
import Synchronization
import WaxwingCore

/// What one event feed passes on to the next.
final class FeedMemory: Sendable {
    /// Why streams may not work here.
    enum Doubt: Hashable, Sendable {
        case heldBack, cutAgainAndAgain, otherAnswer

        var words: String {
            switch self {
            case .heldBack: "a proxy seems to hold it back"
            case .cutAgainAndAgain: "it is cut again and again"
            case .otherAnswer: "something else is answered in its place"
            }
        }
    }

    private struct State {
        var place: (token: SessionToken, id: String)?
        var prefersPolling = false
        /// Consecutive streams that did not live long.
        var cuts = 0
        /// Consecutive streams that fell silent soon after they had begun.
        var silences = 0
    }

    private let state = Mutex(State())

    /// The id of the last event that was read; nil for another session's.
    func place(of token: SessionToken) -> String? {
        state.withLock { $0.place?.token == token ? $0.place?.id : nil }
    }

    func move(to id: String, of token: SessionToken) { state.withLock { $0.place = (token, id) } }

    var prefersPolling: Bool { state.withLock { $0.prefersPolling } }

    /// - Returns: whether that is new.
    func preferPolling() -> Bool {
        state.withLock { state in
            defer { state.prefersPolling = true }
            return !state.prefersPolling
        }
    }

    /// Whether the end of a stream means that streams do not get through. A server that cannot be reached, refuses the
    /// session or is in trouble says nothing about streams.
    func judge(_ ending: HintStream.Ending, options: HTTPOptions) -> Doubt? {
        switch (ending.progress, ending.error.cause) {
        case (.otherAnswer(let status), _):
            switch status {
            case 401, 403, 429, 500...599: return nil
            default: return .otherAnswer
            }
        case (.nothing, .timeout), (.accepted, .timeout):
            return ending.error.outcome == .notSent ? nil : .heldBack
        case (.alive, .timeout):
            // Servers write something every few seconds. A stream that begins and then brings nothing may have lost its
            // network. If the next one does the same, something on the way passes a beginning and holds back the rest.
            guard ending.error.outcome != .notSent else { return nil }
            return state.withLock { state in
                let isSoon = ending.age - options.feedSilenceTimeout < options.feedShortLife
                state.silences = isSoon ? state.silences + 1 : 0
                state.cuts = 0
                return state.silences >= max(1, options.feedSilencesMax) ? .heldBack : nil
            }
        case (_, .connectionLost):
            guard ending.error.outcome != .notSent else { return nil }
            return state.withLock { state in
                state.cuts = ending.age < options.feedShortLife ? state.cuts + 1 : 0
                state.silences = 0
                return state.cuts >= max(1, options.feedCutsMax) ? .cutAgainAndAgain : nil
            }
        default: return nil
        }
    }
}
