/// The root of a hash tree over lines, built as they come: leaves and nodes are told apart by their first byte, as in RFC 6962 §2.1.
final class LineTree {
    private(set) var leaves: UInt64 = 0
    private let sha256: SHA256
    /// Roots of whole subtrees, the largest first, one behind the other. How many leaves each has, the bits of ``leaves`` say: so the hash of
    /// the two newest goes where the older one was.
    private let roots = UnsafeMutableRawBufferPointer.allocate(byteCount: (64 + 1) * SHA256.length, alignment: 16)
    private var count = 0

    init(_ sha256: SHA256) {
        self.sha256 = sha256
        roots.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { roots.deallocate() }

    /// Begins anew.
    func clear() { (leaves, count) = (0, 0) }

    /// - Parameter line: without its end.
    func add(_ line: UnsafeRawBufferPointer) throws(ArchiveError) {
        try sha256.digest(0, line, into: place(count))
        try grow()
    }

    /// Adds what is the hash of a leaf already.
    func add(leaf: [UInt8]) throws(ArchiveError) {
        place(count).copyBytes(from: leaf)
        try grow()
    }

    /// Of no leaves it is the hash of nothing. The tree is of no use then.
    func root() throws(ArchiveError) -> [UInt8] {
        if count == 0 { return SHA256.of([]) }
        while count > 1 { try join() }
        return Array(roots[..<SHA256.length])
    }

    /// Takes in the leaf behind the last root.
    private func grow() throws(ArchiveError) {
        count += 1
        for _ in 0..<(~leaves).trailingZeroBitCount { try join() }
        leaves += 1
    }

    /// Makes one of the two newest roots.
    private func join() throws(ArchiveError) {
        let both = UnsafeRawBufferPointer(
            rebasing: roots[((count - 2) * SHA256.length)..<(count * SHA256.length)])
        try sha256.digest(1, both, into: place(count - 2))
        count -= 1
    }

    private func place(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            rebasing: roots[(index * SHA256.length)..<((index + 1) * SHA256.length)])
    }
}
