import Dispatch
import Glibc

/// Hears SIGINT and SIGTERM in place of their ending the process.
final class Interrupt: Sendable {
    // The sources are made once and only cancelled, which dispatch allows from any thread.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler(handler: handler)
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
