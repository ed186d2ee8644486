import COpenSSL

/// SHA-256, with one context that is used again.
final class SHA256 {
    static let length = 32
    private let context: OpaquePointer?

    init() { context = EVP_MD_CTX_new() }
    deinit { EVP_MD_CTX_free(context) }

    /// - Throws: `failed` where OpenSSL has no memory.
    func begin() throws(ArchiveError) { try check(EVP_DigestInit_ex(context, EVP_sha256(), nil)) }

    func update(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        try check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    func end() throws(ArchiveError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.length)
        try check(EVP_DigestFinal_ex(context, &digest, nil))
        return digest
    }

    /// Of all of it at once, with a byte in front.
    func digest(_ first: UInt8, _ bytes: UnsafeRawBufferPointer) throws(ArchiveError) -> [UInt8] {
        try begin()
        var first = first
        try check(EVP_DigestUpdate(context, &first, 1))
        try update(bytes)
        return try end()
    }

    static func of(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    private func check(_ result: Int32) throws(ArchiveError) {
        if result != 1 { throw ArchiveError(.failed, "OpenSSL has no memory") }
    }
}

/// The root of a hash tree over lines, built as they come: leaves and nodes are told apart by their first byte, as in RFC 6962 §2.1.
struct LineTree {
    /// Roots of whole subtrees, the largest first, with how many leaves they have.
    private var subtrees: [(root: [UInt8], leaves: UInt64)] = []
    private(set) var leaves: UInt64 = 0
    private let sha256: SHA256

    init(_ sha256: SHA256) { self.sha256 = sha256 }

    /// - Parameter line: without its end.
    mutating func add(_ line: UnsafeRawBufferPointer) throws(ArchiveError) {
        try add(leaf: try sha256.digest(0, line))
    }

    /// Adds what is the hash of a leaf already.
    mutating func add(leaf: [UInt8]) throws(ArchiveError) {
        var (root, size) = (leaf, UInt64(1))
        while let last = subtrees.last, last.leaves == size {
            root = try node(last.root, root)
            size *= 2
            subtrees.removeLast()
        }
        subtrees.append((root, size))
        leaves += 1
    }

    /// Of no leaves it is the hash of nothing.
    func root() throws(ArchiveError) -> [UInt8] {
        guard var root = subtrees.last?.root else { return SHA256.of([]) }
        for subtree in subtrees.dropLast().reversed() { root = try node(subtree.root, root) }
        return root
    }

    private func node(_ left: [UInt8], _ right: [UInt8]) throws(ArchiveError) -> [UInt8] {
        var both = left
        both.append(contentsOf: right)
        return try both.withBytes { bytes throws(ArchiveError) in try sha256.digest(1, bytes) }
    }
}
