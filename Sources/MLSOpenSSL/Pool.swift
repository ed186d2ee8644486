import COpenSSL
import MLS
import Synchronization

/// OpenSSL objects that are expensive to make and can be reused, by one caller at a time.
///
/// As many are kept as were ever in use at once. None of them may hold a secret when it comes back.
final class Pool: Sendable {
    private let idle = Mutex<[Entry]>([])
    private let make: @Sendable () throws(MLSError) -> OpaquePointer
    private let free: @Sendable (OpaquePointer) -> Void

    /// Passed from thread to thread but never shared, so it is safe.
    private struct Entry: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    init(
        make: @escaping @Sendable () throws(MLSError) -> OpaquePointer,
        free: @escaping @Sendable (OpaquePointer) -> Void
    ) {
        self.make = make
        self.free = free
    }

    deinit {
        for entry in idle.withLock({ $0 }) { free(entry.pointer) }
    }

    func withObject<R>(_ body: (OpaquePointer) throws(MLSError) -> R) throws(MLSError) -> R {
        let entry = if let idle = idle.withLock({ $0.popLast() }) { idle } else { Entry(pointer: try make()) }
        defer { idle.withLock { $0.append(entry) } }
        return try body(entry.pointer)
    }
}
