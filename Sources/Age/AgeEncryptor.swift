/// Encrypts bytes as they come. The output is a complete age file once ``finish(_:)`` has returned.
///
/// ```swift
/// var encryptor = try AgeEncryptor(.recipients([recipient]), entropy: entropy)
/// try encryptor.write(bytes) { try file.append($0) }
/// try encryptor.finish { try file.append($0) }
/// ```
public struct AgeEncryptor: ~Copyable {
    /// Takes bytes of the file, in order. They are valid only during the call.
    public typealias Output = (UnsafeRawBufferPointer) throws -> Void

    private let cipher: ChunkCipher
    private var armor: ArmorWriter?
    /// The header and the nonce, until something goes out.
    private var head: [UInt8]
    /// What is not encrypted yet: a whole chunk waits until it is known whether it is the last one.
    private let waiting = WipedBuffer(Stream.chunk)
    private var waitingCount = 0
    private let sealed = WipedBuffer(Stream.sealedChunk)
    private var chunks: UInt64 = 0

    /// - Parameter entropy: the source of the file key, the nonce, and what the stanzas need.
    /// - Throws: ``AgeError`` `invalidKey`, `failed`.
    public init(_ sealing: AgeSealing, isArmored: Bool = false, entropy: AgeEntropy) throws(AgeError) {
        let fileKey = entropy(FileKey.length)
        let nonce = entropy(Stream.nonceLength).withUnsafeBytes { Array($0) }
        let header = try AgeHeader.encode(try FileKey.wrap(fileKey, for: sealing, entropy), fileKey: fileKey)
        let cipher = try ChunkCipher(key: try Stream.key(fileKey, nonce: nonce), isSealing: true)
        self.init(head: header + nonce, cipher: cipher, armor: isArmored ? ArmorWriter() : nil)
    }

    private init(head: [UInt8], cipher: ChunkCipher, armor: ArmorWriter?) {
        self.head = head
        self.cipher = cipher
        self.armor = armor
    }

    /// Encrypts some more bytes.
    ///
    /// - Throws: what `output` throws; the file is then useless.
    public mutating func write(_ bytes: UnsafeRawBufferPointer, _ output: Output) throws {
        var rest = bytes
        while !rest.isEmpty {
            if waitingCount == Stream.chunk {
                try seal(UnsafeRawBufferPointer(waiting.bytes), isLast: false, output)
                waitingCount = 0
            }
            // Input longer than a chunk is not buffered.
            if waitingCount == 0, rest.count > Stream.chunk {
                try seal(UnsafeRawBufferPointer(rebasing: rest[..<Stream.chunk]), isLast: false, output)
                rest = UnsafeRawBufferPointer(rebasing: rest[Stream.chunk...])
                continue
            }
            let count = min(rest.count, Stream.chunk - waitingCount)
            UnsafeMutableRawBufferPointer(rebasing: waiting.bytes[waitingCount...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            waitingCount += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Encrypts the last chunk.
    ///
    /// - Throws: what `output` throws.
    public consuming func finish(_ output: Output) throws {
        try seal(UnsafeRawBufferPointer(rebasing: waiting.bytes[..<waitingCount]), isLast: true, output)
        if let end = armor?.finish() { try end.withUnsafeBytes(output) }
    }

    private mutating func seal(_ plaintext: UnsafeRawBufferPointer, isLast: Bool, _ output: Output) throws {
        if !head.isEmpty {
            let bytes = head
            head = []
            try bytes.withUnsafeBytes { try emit($0, output) }
        }
        let out = UnsafeMutableRawBufferPointer(rebasing: sealed.bytes[..<(plaintext.count + Primitives.tagLength)])
        try cipher.seal(plaintext, nonce: Stream.nonce(chunks, isLast: isLast), into: out)
        chunks += 1
        try emit(UnsafeRawBufferPointer(out), output)
    }

    private mutating func emit(_ bytes: UnsafeRawBufferPointer, _ output: Output) throws {
        guard let text = armor?.take(bytes) else { return try output(bytes) }
        if !text.isEmpty { try text.withUnsafeBytes(output) }
    }
}
