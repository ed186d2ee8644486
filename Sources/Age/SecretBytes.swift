import OpenSSLPrimitives

/// Bytes that are zeroed when the last reference to them goes, and never printed.
public final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Written only in `init`, so it is safe to share between threads.
    private let buffer: UnsafeMutableRawBufferPointer

    public var count: Int { buffer.count }

    public init(_ bytes: some Collection<UInt8>) {
        buffer = .allocate(byteCount: bytes.count, alignment: 16)
        buffer.copyBytes(from: bytes)
    }

    /// Room for `count` bytes (zero at first) that `fill` writes.
    public init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        buffer = .allocate(byteCount: count, alignment: 16)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        try fill(buffer)
    }

    deinit {
        Secrets.wipe(buffer)
        buffer.deallocate()
    }

    /// Passes the bytes to `body`; they are valid only during the call.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(buffer))
    }

    public var description: String { "SecretBytes(\(count) bytes)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A source of random bytes. Age draws file keys, nonces, salts and ephemeral keys from it.
public typealias AgeEntropy = @Sendable (_ count: Int) -> SecretBytes
