import Synchronization
import WaxwingCore

/// Inputs for the core, from any task, in order of arrival.
final class Mailbox: Sendable {
    struct Entry: Sendable {
        let input: Input
        /// The number of the feed it came from, if any.
        let feed: Int?
        fileprivate let taken: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var entries: [Entry] = []
        var waiter: CheckedContinuation<Void, Never>?
        var rung = false
    }

    private let state = Mutex(State())

    func put(_ input: Input, feed: Int? = nil) {
        ring { $0.entries.append(Entry(input: input, feed: feed, taken: nil)) }
    }

    /// Adds an input and waits until it is taken out.
    func deliver(_ input: Input, feed: Int) async {
        await withCheckedContinuation { continuation in
            ring { $0.entries.append(Entry(input: input, feed: feed, taken: continuation)) }
        }
    }

    /// Wakes the reader without an input.
    func ring() {
        ring { $0.rung = true }
    }

    private func ring(_ change: (inout sending State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    func take() -> Entry? {
        let entry = state.withLock { $0.entries.isEmpty ? nil : $0.entries.removeFirst() }
        entry?.taken?.resume()
        return entry
    }

    /// Returns as soon as there is an input, or the bell has rung since the last call.
    func wait() async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                if state.rung || !state.entries.isEmpty {
                    state.rung = false
                    return true
                }
                state.waiter = continuation
                return false
            }
            if ready { continuation.resume() }
        }
    }
}
