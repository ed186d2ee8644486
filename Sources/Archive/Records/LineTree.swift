import OpenSSLPrimitives

/// The hash over a block of lines: the hash of a byte 1 and the hashes of the lines, each with its end.
///
/// No line begins with that byte, so a line cannot be mistaken for a list. The roots of blocks form such a list again.
final class LineTree {
    /// How many bytes of hashes gather before they are hashed themselves.
    private static let roomSize = 64 * SHA256.length

    private(set) var leaves: UInt64 = 0
    private let list = SHA256()
    private var isOpen = false
    private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: roomSize, alignment: 16)
    private var filled = 0

    init() { room.initializeMemory(as: UInt8.self, repeating: 0) }
    deinit { room.deallocate() }

    /// Starts again.
    func clear() { (leaves, isOpen, filled) = (0, false, 0) }

    /// - Parameter line: with its end.
    func add(_ line: UnsafeRawBufferPointer) {
        SHA256.digest(line, into: next)
        step()
    }

    /// - Parameter leaf: the hash of a line, or the root of a block.
    func add(leaf: [UInt8]) {
        next.copyBytes(from: leaf)
        step()
    }

    /// After this the tree cannot be used.
    func root() -> [UInt8] {
        flush()
        return list.end()
    }

    private var next: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: room[filled..<(filled + SHA256.length)])
    }

    private func step() {
        leaves += 1
        filled += SHA256.length
        if filled == Self.roomSize { flush() }
    }

    private func flush() {
        if !isOpen {
            isOpen = true
            list.begin()
            ([1] as [UInt8]).withUnsafeBytes { list.update($0) }
        }
        list.update(UnsafeRawBufferPointer(rebasing: room[..<filled]))
        filled = 0
    }
}
