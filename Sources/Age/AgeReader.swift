import OpenSSLPrimitives
import Synchronization

/// Decrypts an age file at any position, chunk by chunk. Only authenticated plaintext comes out. May be used from
/// several threads.
///
/// `@unchecked Sendable`: the open chunk is used only under the lock.
public final class AgeReader: ByteSource, @unchecked Sendable {
    private let file: SealedFile
    private let key: SecretBytes
    private let chunk: OpenChunk
    private let lock = Mutex(())

    /// The size of the plaintext in bytes.
    public var count: UInt64 { file.count }

    /// Reads the header, finds the key, and checks that the last chunk is the last one: that nothing was cut off or
    /// appended.
    ///
    /// - Parameter isArmored: nil to detect it from the first byte.
    /// - Throws: ``AgeError``.
    public init(_ source: any ByteSource, _ opening: AgeOpening, isArmored: Bool? = nil) throws(AgeError) {
        var first = [UInt8](repeating: 0, count: 1)
        let count = try first.withBuffer { buffer throws(AgeError) in try source.read(at: 0, into: buffer) }
        let isText = isArmored ?? (count == 1 && first[0] != UInt8(ascii: "a"))
        let source: any ByteSource = isText ? try ArmoredSource(source) : source
        let (file, key) = try SealedFile.open(source, opening)
        self.file = file
        self.key = key
        chunk = OpenChunk(try ChunkCipher(key: key, isSealing: false))
        // A length that does not match its chunks shows here, too.
        try chunk.load(file.chunks - 1, of: file)
    }

    /// Another reader of the same file, for another thread: neither waits for the other.
    ///
    /// - Throws: ``AgeError`` `failed`.
    public func another() throws(AgeError) -> AgeReader { try AgeReader(file, key) }

    private init(_ file: SealedFile, _ key: SecretBytes) throws(AgeError) {
        self.file = file
        self.key = key
        chunk = OpenChunk(try ChunkCipher(key: key, isSealing: false))
    }

    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int {
        guard offset < count, !buffer.isEmpty else { return 0 }
        let (number, skipped) = (offset / UInt64(Stream.chunk), Int(offset % UInt64(Stream.chunk)))
        return try lock.withLock { _ throws(AgeError) in
            if skipped == 0, buffer.count >= Stream.chunk, chunk.number != number {
                // A whole chunk is decrypted directly into the caller's buffer.
                return try chunk.open(
                    number, of: file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Stream.chunk]))
            }
            try chunk.load(number, of: file)
            return chunk.copy(from: skipped, to: buffer)
        }
    }
}

/// The positions of a file's chunks.
private struct SealedFile {
    let source: any ByteSource
    let start: UInt64
    let chunks: UInt64
    /// The size of the plaintext in bytes.
    let count: UInt64

    static func open(_ source: any ByteSource, _ opening: AgeOpening) throws(AgeError) -> (SealedFile, SecretBytes) {
        let header = try header(of: source)
        let fileKey = try FileKey.unwrap(try AgeHeader(header), by: opening)
        let start = UInt64(header.count + Stream.nonceLength)
        guard source.count >= start else { throw AgeHeader.malformed("it ends behind its header") }
        var nonce = [UInt8](repeating: 0, count: Stream.nonceLength)
        try nonce.withBuffer { buffer throws(AgeError) in try source.readAll(at: UInt64(header.count), into: buffer) }
        let sealed = source.count - start
        guard sealed > 0 else { throw AgeError(.truncated, "the file ends before its final part: it was cut off") }
        let chunks = (sealed - 1) / UInt64(Stream.sealedChunk) + 1
        let tags = chunks * UInt64(Primitives.tagLength)
        let file = SealedFile(source: source, start: start, chunks: chunks, count: sealed > tags ? sealed - tags : 0)
        return (file, try Stream.key(fileKey, nonce: nonce))
    }

    private static func header(of source: any ByteSource) throws(AgeError) -> [UInt8] {
        var text: [UInt8] = []
        var scanned = 0
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try piece.withBuffer { buffer throws(AgeError) in
                try source.read(at: UInt64(text.count), into: buffer)
            }
            if count == 0 { throw AgeHeader.malformed("it ends in its header") }
            text += piece[..<count]
            if let length = try AgeHeader.length(in: text, from: &scanned) { return Array(text[..<length]) }
        }
    }
}

/// The chunk that was read last, and what is needed to read another.
private final class OpenChunk {
    private(set) var number: UInt64?
    private var length = 0
    private let cipher: ChunkCipher
    private let sealed = WipedBuffer(Stream.sealedChunk)
    private let plaintext = WipedBuffer(Stream.chunk)

    init(_ cipher: ChunkCipher) { self.cipher = cipher }

    func load(_ number: UInt64, of file: SealedFile) throws(AgeError) {
        if self.number == number { return }
        self.number = nil
        length = try open(number, of: file, into: plaintext.bytes)
        self.number = number
    }

    /// - Returns: the length of the chunk's plaintext, which is in `out`.
    func open(_ number: UInt64, of file: SealedFile, into out: UnsafeMutableRawBufferPointer) throws(AgeError)
        -> Int
    {
        let place = file.start + number * UInt64(Stream.sealedChunk)
        let size = Int(min(UInt64(Stream.sealedChunk), file.source.count - place))
        let room = UnsafeMutableRawBufferPointer(rebasing: sealed.bytes[..<size])
        try file.source.readAll(at: place, into: room)
        let outcome = try StreamChunk.open(
            UnsafeRawBufferPointer(room), number: number, isFollowed: number + 1 < file.chunks, cipher, out)
        if let error = outcome.error {
            Secrets.wipe(UnsafeMutableRawBufferPointer(rebasing: out[..<outcome.count]))
            throw error
        }
        return outcome.count
    }

    func copy(from start: Int, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(length - start, buffer.count)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: plaintext.bytes[start..<(start + count)]))
        return count
    }
}
