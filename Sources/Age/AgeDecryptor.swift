/// Decrypts an age file as it comes, in constant memory. Only authenticated plaintext comes out; that the file was
/// complete is known only when ``finish(_:)`` has returned.
public struct AgeDecryptor: ~Copyable {
    /// Takes plaintext, in order. It is valid only during the call.
    public typealias Output = (UnsafeRawBufferPointer) throws -> Void

    private let opening: AgeOpening
    private var armor: ArmorReader?
    private var isArmorKnown: Bool
    /// The header, and later the nonce and what is not yet a whole chunk.
    private var waiting: [UInt8] = []
    private var scanned = 0
    private var fileKey: SecretBytes?
    private var cipher: ChunkCipher?
    private var chunks: UInt64 = 0
    private let plaintext = WipedBuffer(Stream.chunk)

    /// - Parameter isArmored: nil to detect it from the first bytes.
    public init(_ opening: AgeOpening, isArmored: Bool? = nil) {
        self.opening = opening
        isArmorKnown = isArmored != nil
        armor = isArmored == true ? ArmorReader() : nil
    }

    /// Decrypts some more bytes.
    ///
    /// - Throws: ``AgeError``, or what `output` throws; after that, it cannot continue.
    public mutating func write(_ bytes: UnsafeRawBufferPointer, _ output: Output) throws {
        // Pieces keep what waits small, however much comes at once.
        var rest = bytes
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<min(rest.count, Stream.sealedChunk)])
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            if !isArmorKnown {
                guard let first = piece.first else { return }
                isArmorKnown = true
                if first != UInt8(ascii: "a") { armor = ArmorReader() }
            }
            if armor != nil {
                waiting += try armor?.take(piece) ?? []
            } else {
                waiting += piece
            }
            try open(isAtEnd: false, output)
        }
    }

    /// Ends the file.
    ///
    /// - Throws: ``AgeError`` `truncated` if its final chunk is missing, and all that ``write(_:_:)`` throws.
    public consuming func finish(_ output: Output) throws {
        waiting += try armor?.finish() ?? []
        try open(isAtEnd: true, output)
    }

    private mutating func open(isAtEnd: Bool, _ output: Output) throws {
        if fileKey == nil {
            guard let length = try AgeHeader.length(in: waiting, from: &scanned) else {
                if isAtEnd { throw AgeHeader.malformed("it ends in its header") }
                return
            }
            fileKey = try FileKey.unwrap(try AgeHeader(Array(waiting[..<length])), by: opening)
            waiting.removeFirst(length)
        }
        if cipher == nil {
            guard waiting.count >= Stream.nonceLength, let fileKey else {
                if isAtEnd { throw AgeHeader.malformed("it ends behind its header") }
                return
            }
            cipher = try ChunkCipher(
                key: try Stream.key(fileKey, nonce: Array(waiting[..<Stream.nonceLength])), isSealing: false)
            waiting.removeFirst(Stream.nonceLength)
        }
        var start = 0
        // A chunk with something after it is not the last one.
        while waiting.count - start > Stream.sealedChunk {
            try openChunk(start..<(start + Stream.sealedChunk), isFollowed: true, output)
            start += Stream.sealedChunk
        }
        waiting.removeFirst(start)
        if isAtEnd { try openChunk(0..<waiting.count, isFollowed: false, output) }
    }

    private mutating func openChunk(_ range: Range<Int>, isFollowed: Bool, _ output: Output) throws {
        let outcome = try waiting.withUnsafeBytes { bytes throws(AgeError) in
            try StreamChunk.open(
                UnsafeRawBufferPointer(rebasing: bytes[range]), number: chunks, isFollowed: isFollowed, cipher,
                plaintext.bytes)
        }
        chunks += 1
        if outcome.count > 0 { try output(UnsafeRawBufferPointer(rebasing: plaintext.bytes[..<outcome.count])) }
        if let error = outcome.error { throw error }
    }
}
