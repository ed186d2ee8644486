import Dispatch
import Glibc
import Synchronization

/// Hears SIGINT, SIGTERM and SIGHUP, as long as it lives, in place of their ending the process.
///
/// One handler stands from the beginning of the process to its end, see ``arm()``. So there is no moment at which a signal does something else than
/// end the process at once or, once an `Interrupt` has been made, be heard by it: what is made afterwards can be cleared away.
final class Interrupt: Sendable {
    /// How many of these there are.
    private static let listeners = Atomic(0)
    /// Signals that were heard in this process.
    private static let heard = Atomic(0)
    /// A pipe that gets a byte for each of them.
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
    var hasCome: Bool { Self.heard.load(ordering: .acquiring) != before }

    init() {
        Self.arm()
        before = Self.heard.load(ordering: .acquiring)
        source = nil
        Self.listeners.add(1, ordering: .sequentiallyConsistent)
    }

    /// - Parameter handler: called on a queue of its own when signals come. There is one such at a time.
    init(_ handler: @escaping @Sendable () -> Void) {
        Self.arm()
        let hears = Self.bell.hears
        before = Self.heard.load(ordering: .acquiring)
        Self.listeners.add(1, ordering: .sequentiallyConsistent)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: hears, queue: DispatchQueue(label: "waxwing.interrupt"))
        source.setEventHandler { [before] in
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(hears, &bytes, bytes.count) > 0 {}
            // What is left from before is not for this one.
            if Self.heard.load(ordering: .acquiring) != before { handler() }
        }
        source.resume()
        self.source = source
    }

    deinit {
        source?.cancel()
        Self.listeners.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Puts the handler into its place. To be called before the process makes anything that must not stay behind; a second call changes nothing.
    static func arm() { _ = isArmed }

    private static let isArmed: Bool = {
        // The handler must find these made: it may come at any moment, and cannot wait for whoever is making them.
        _ = (listeners.load(ordering: .relaxed), heard.load(ordering: .relaxed), bell)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let old = signal(number, handle)
            // As `nohup` wants it.
            if number == SIGHUP, isIgnoring(old) { signal(number, SIG_IGN) }
        }
        return true
    }()

    private static func isIgnoring(_ handler: __sighandler_t?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Runs in whichever thread the signal has found, in the middle of anything: it may not take memory or locks.
    private static let handle: @convention(c) (Int32) -> Void = { number in
        let code = errno
        if listeners.load(ordering: .sequentiallyConsistent) > 0 {
            heard.add(1, ordering: .acquiringAndReleasing)
            withUnsafePointer(to: UInt8(1)) { _ = write(bell.rings, $0, 1) }
        } else {
            // No one listens: it does what it does to any program.
            signal(number, SIG_DFL)
            raise(number)
        }
        errno = code
    }
}
