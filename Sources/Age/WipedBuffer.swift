import OpenSSLPrimitives

/// A buffer that is zeroed before it is freed.
final class WipedBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) {
        bytes = .allocate(byteCount: count, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        Secrets.wipe(bytes)
        bytes.deallocate()
    }
}
