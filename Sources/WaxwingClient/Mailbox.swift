import Synchronization
import WaxwingCore

/// Inputs on their way to the core, from any task, in order of arrival.
final class Mailbox: Sendable {
    private struct State {
        var inputs: [Input] = []
        var waiter: CheckedContinuation<Void, Never>?
        var rung = false
    }

    private let state = Mutex(State())

    func put(_ input: Input) {
        ring { $0.inputs.append(input) }
    }

    /// Wakes the reader without an input.
    func ring() {
        ring { $0.rung = true }
    }

    private func ring(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    func take() -> Input? {
        state.withLock { $0.inputs.isEmpty ? nil : $0.inputs.removeFirst() }
    }

    /// Returns as soon as there is an input, or the bell was rung since the last time.
    func wait() async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                if state.rung || !state.inputs.isEmpty {
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
