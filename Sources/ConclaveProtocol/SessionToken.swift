import func Glibc.explicit_bzero

/// The result of a login, sent with every request: anyone who has it can act as the account, until it logs out.
///
/// Its bytes are zeroed when the last reference goes, and never appear in a description. Copies that libraries make on
/// the way in and out, of an answer's message or a request's header, are not wiped.
public final class SessionToken: @unchecked Sendable {
    // Written only in `init`, so it is safe to share between threads.
    private let buffer: UnsafeMutableRawBufferPointer

    /// - Parameter bytes: the token as UTF-8.
    public init(_ bytes: some Collection<UInt8>) {
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        buffer.copyBytes(from: bytes)
    }

    public convenience init(_ text: String) { self.init(text.utf8) }

    deinit {
        if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) }
        buffer.deallocate()
    }

    /// The number of bytes of the token.
    public var count: Int { buffer.count }

    /// Whether it can be put in a header: visible ASCII only (RFC 9110 §5.5), so that it cannot begin another one.
    public var isHeaderValue: Bool { !buffer.isEmpty && buffer.allSatisfy { (0x21...0x7e).contains($0) } }

    /// Passes the bytes to `body`; they must not be copied out without need.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(buffer))
    }

    /// A copy as ordinary text, which is not wiped: for hashing or storing it.
    public var unwipedText: String { String(decoding: buffer, as: UTF8.self) }
}

extension SessionToken: Hashable {
    /// Takes the same time wherever the two differ; the lengths are not secret.
    public static func == (a: SessionToken, b: SessionToken) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(a.buffer, b.buffer) { difference |= left ^ right }
        return difference == 0
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(buffer)) }
}

extension SessionToken: CustomStringConvertible, CustomReflectable {
    public var description: String { "SessionToken(\(count) bytes)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// For tests, and for programs whose token is not secret.
extension SessionToken: ExpressibleByStringLiteral {
    public convenience init(stringLiteral text: String) { self.init(text.utf8) }
}
