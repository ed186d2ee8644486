import Files

/// Bytes that can be read at any position.
public protocol ByteSource: Sendable {
    /// How many there are.
    var count: UInt64 { get }

    /// Reads bytes from a position on, as many as there are and as `buffer` takes.
    ///
    /// - Returns: how many; 0 only at the end, or for an empty buffer.
    /// - Throws: ``AgeError`` `unreadable`.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int
}

extension ByteSource {
    /// Fills the buffer.
    ///
    /// - Throws: `truncated` if there are fewer bytes.
    func readAll(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try read(at: offset + UInt64(done), into: rest)
            if count == 0 { throw AgeError(.truncated, "the file has become shorter") }
            done += count
        }
    }
}

/// Bytes in memory.
public struct MemorySource: ByteSource {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var count: UInt64 { UInt64(bytes.count) }

    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int {
        guard offset < count else { return 0 }
        let slice = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: slice)
        return slice.count
    }
}

/// A regular file, kept open. Its size is the one it had when it was opened.
public final class FileSource: ByteSource {
    private let file: File
    public let count: UInt64

    /// - Throws: ``AgeError`` `unreadable` with the system's words.
    public init(path: String) throws(AgeError) {
        do throws(FileError) {
            // If it is a pipe, do not wait for a writer.
            file = try File(path, .readOnly, .nonBlocking)
        } catch {
            throw AgeError(.unreadable, error.description)
        }
        // Without a status it is of no use either.
        guard let status = try? file.status(), status.isRegular, status.size >= 0 else {
            throw AgeError(.unreadable, "\(path): not a regular file")
        }
        count = UInt64(status.size)
    }

    public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int {
        guard offset < count, !buffer.isEmpty else { return 0 }
        return try file.read(forAge: offset, into: buffer)
    }
}

extension File {
    /// Reads as a source of bytes does.
    package func read(
        forAge offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(AgeError) -> Int {
        do throws(FileError) {
            return try read(at: offset, into: buffer)
        } catch {
            throw AgeError(.unreadable, error.reason)
        }
    }
}
