import Synchronization
import WaxwingCore

/// Wakes those who wait for a change, and keeps for each of them what exists only in this process.
final class Bells: Sendable {
    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    func ring(_ notice: Notice) {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.hear(notice) }
    }

    func add(_ listener: Listener) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.listeners[state.last] = listener
            return state.last
        }
    }

    func remove(_ number: UInt64) { state.withLock { $0.listeners[number] = nil } }
}

/// One who waits for changes.
final class Listener: Sendable {
    /// How many changes are kept for a slow reader; then the oldest are dropped.
    private static let bound = 1_000

    let wakes: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation
    private let live = Mutex<[Update.Change]>([])
    private let ticker: Task<Void, Never>

    /// - Parameter hasChanged: called five times a second to see whether another process has written.
    init(hasChanged: @escaping @Sendable () -> Bool) {
        let (wakes, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.wakes, self.bell) = (wakes, bell)
        ticker = Task {
            // The sleep ends early when the task is cancelled, and the loop with it.
            while (try? await Task.sleep(for: .milliseconds(200))) != nil { if hasChanged() { bell.yield() } }
        }
    }

    deinit { ticker.cancel() }

    func hear(_ notice: Notice) {
        if let change = Update.Change(notice) {
            live.withLock { live in
                if live.count >= Self.bound { live.removeFirst() }
                live.append(change)
            }
        }
        bell.yield()
    }

    func take() -> [Update.Change] {
        live.withLock { live in
            defer { live = [] }
            return live
        }
    }
}
