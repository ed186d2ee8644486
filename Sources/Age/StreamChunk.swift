/// Decrypts one chunk, and says what is wrong with it.
enum StreamChunk {
    /// The result of a chunk: authenticated plaintext, and possibly an error that shows the file is incomplete.
    struct Outcome {
        var count = 0
        var error: AgeError?
    }

    /// - Parameters:
    ///   - isFollowed: whether the file continues after it.
    ///   - plaintext: takes a whole chunk.
    static func open(
        _ sealed: UnsafeRawBufferPointer, number: UInt64, isFollowed: Bool, _ cipher: ChunkCipher?,
        _ plaintext: UnsafeMutableRawBufferPointer
    ) throws(AgeError) -> Outcome {
        guard let cipher else { throw Primitives.outOfMemory }
        if sealed.count == 0 { throw AgeError(.truncated, "the file ends before its final part: it was cut off") }
        let length = sealed.count - Primitives.tagLength
        guard length >= 0 else { throw damaged(number) }
        let out = UnsafeMutableRawBufferPointer(rebasing: plaintext[..<length])
        if try cipher.open(sealed, nonce: Stream.nonce(number, isLast: !isFollowed), into: out) {
            if length == 0, number > 0 { throw damaged(number) }
            return Outcome(count: length)
        }
        // The chunk is wrong in any case; what follows only finds out how.
        guard try cipher.open(sealed, nonce: Stream.nonce(number, isLast: isFollowed), into: out) else {
            throw damaged(number)
        }
        let error =
            isFollowed
            ? AgeError(.damaged, "there are bytes behind the file's final part")
            : AgeError(.truncated, "the file ends before its final part: it was cut off")
        // A final chunk with something after it, and a full chunk with nothing after it, are authentic in themselves.
        return Outcome(count: length == Stream.chunk ? length : 0, error: error)
    }

    private static func damaged(_ number: UInt64) -> AgeError {
        AgeError(.damaged, "the file is damaged or was altered in its part \(number + 1) (of 64 KiB each)")
    }
}
