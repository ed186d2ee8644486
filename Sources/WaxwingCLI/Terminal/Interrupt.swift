import Dispatch
import Glibc
import Synchronization

/// Hears SIGINT and SIGTERM in place of their ending the process.
final class Interrupt: Sendable {
    private final class Mark: Sendable {
        let isSet = Atomic(false)
    }

    // The sources are made once and only cancelled, which dispatch allows from any thread.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]
    /// What the signals did before, and do again afterwards.
    private let before: [(number: Int32, handler: __sighandler_t?)]
    private let mark = Mark()

    /// Whether a signal has come.
    var hasCome: Bool { mark.isSet.load(ordering: .acquiring) }

    /// - Parameter handler: called on a queue of its own for each signal.
    init(_ handler: @escaping @Sendable () -> Void = {}) {
        let queue = DispatchQueue(label: "waxwing.interrupt")
        let numbers = [SIGINT, SIGTERM]
        before = numbers.map { ($0, signal($0, SIG_IGN)) }
        sources = numbers.map { [mark] number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                mark.isSet.store(true, ordering: .releasing)
                handler()
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for (number, handler) in before { signal(number, handler) }
    }
}
