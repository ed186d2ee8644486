import Dispatch
import Glibc
import Synchronization

/// Catches SIGINT, SIGTERM and SIGHUP while it exists, so that they do not end the process.
///
/// One handler is in place from the beginning of the process to its end, see ``arm()``. So at every moment a signal
/// either ends the process at once or, once an `Interrupt` was made, is caught by it: whatever is made after that can
/// be cleaned up.
package final class Interrupt: Sendable {
    /// The number of `Interrupt`s.
    private static let listeners = Atomic(0)
    /// The number of signals caught in this process.
    private static let heard = Atomic(0)
    /// A pipe that receives a byte for each of them.
    private static let bell: (hears: Int32, rings: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }()

    private let before: Int
    // Made once and only cancelled, which dispatch allows from any thread.
    private nonisolated(unsafe) let source: (any DispatchSourceRead)?

    /// Whether a signal has come.
    package var hasCome: Bool { Self.heard.load(ordering: .acquiring) != before }

    package init() {
        Self.arm()
        before = Self.heard.load(ordering: .acquiring)
        source = nil
        Self.listeners.add(1, ordering: .sequentiallyConsistent)
    }

    /// - Parameter handler: called on its own queue when signals come. There is one handler at a time.
    package init(_ handler: @escaping @Sendable () -> Void) {
        Self.arm()
        let hears = Self.bell.hears
        before = Self.heard.load(ordering: .acquiring)
        Self.listeners.add(1, ordering: .sequentiallyConsistent)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: hears, queue: DispatchQueue(label: "waxwing.interrupt"))
        source.setEventHandler { [before] in
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(hears, &bytes, bytes.count) > 0 {}
            // Skip what is left from an earlier one.
            if Self.heard.load(ordering: .acquiring) != before { handler() }
        }
        source.resume()
        self.source = source
    }

    deinit {
        source?.cancel()
        Self.listeners.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Installs the handler. Call it before the process makes anything that must not be left behind. A second call
    /// changes nothing.
    package static func arm() { _ = isArmed }

    private static let isArmed: Bool = {
        // Make these before the handler needs them: it may run at any moment, and cannot wait for another thread to
        // make them.
        _ = (listeners.load(ordering: .relaxed), heard.load(ordering: .relaxed), bell)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let old = signal(number, handle)
            // Keep SIGHUP ignored, as `nohup` wants it.
            if number == SIGHUP, isIgnoring(old) { signal(number, SIG_IGN) }
        }
        return true
    }()

    private static func isIgnoring(_ handler: __sighandler_t?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Runs in any thread, at any point: it must not allocate memory or take locks.
    private static let handle: @convention(c) (Int32) -> Void = { number in
        let code = errno
        if listeners.load(ordering: .sequentiallyConsistent) > 0 {
            heard.add(1, ordering: .acquiringAndReleasing)
            withUnsafePointer(to: UInt8(1)) { _ = write(bell.rings, $0, 1) }
        } else {
            // No one listens: the signal does what it does to any program.
            signal(number, SIG_DFL)
            raise(number)
        }
        errno = code
    }
}
