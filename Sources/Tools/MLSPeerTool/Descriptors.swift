import Glibc

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
    let description: String
}

/// What a descriptor has to give, as soon as there is something; nothing at its end.
func readSome(from descriptor: Int32) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        var got = read(descriptor, buffer.baseAddress, buffer.count)
        while got < 0, errno == EINTR { got = read(descriptor, buffer.baseAddress, buffer.count) }
        failure = got < 0 ? errno : 0
        count = max(0, got)
    }
    if failure != 0 { throw SystemError(description: "cannot read: \(String(cString: strerror(failure)))") }
    return bytes
}

/// - Returns: false if no one takes the bytes any more.
@discardableResult
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            if written <= 0 { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }
}
