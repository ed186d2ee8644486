import func Glibc.explicit_bzero

/// Bytes that must not outlive their use: zeroed when the last reference goes, compared in constant time, never
/// printed.
///
/// A reference type, so that copies of a group state share one buffer and dropping the last one wipes it.
public final class Secret: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Written only in `init`, so it is safe to share between threads.
    private let buffer: UnsafeMutableRawBufferPointer

    public var count: Int { buffer.count }

    public init(_ bytes: some Collection<UInt8>) {
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        buffer.copyBytes(from: bytes)
    }

    /// Room for `count` bytes (zero at first) that `fill` writes, so the secret is never in an ordinary array.
    public init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        try fill(buffer)
    }

    deinit {
        wipe(buffer)
        buffer.deallocate()
    }

    /// Passes the bytes to `body`; they must not be copied out without need.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(buffer))
    }

    /// A copy as an ordinary array, which is not wiped: for encodings that are about to be sealed or stored.
    public var unwipedCopy: [UInt8] { Array(buffer) }

    public var description: String { "Secret(\(count) bytes)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Equatable {
    /// Constant time in the content; the lengths are not secret.
    public static func == (a: Secret, b: Secret) -> Bool {
        a.withUnsafeBytes { left in b.withUnsafeBytes { right in constantTimeEqual(left, right) } }
    }
}

/// Overwrites bytes in a way that no compiler removes.
func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
    if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
}

/// Compares without branching on the content, so that the time reveals nothing about where the two differ.
public func constantTimeEqual(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    if a.count != b.count { return false }
    var difference: UInt8 = 0
    for (left, right) in zip(a, b) { difference |= left ^ right }
    return difference == 0
}
