import Age
import Dispatch
import Files
import Synchronization

/// Holds compressed frames until the sizes of all files are known.
///
/// The beginning is kept in memory. The rest goes to a file without a name, sealed under a key that only this process
/// holds and that is lost with it. So nothing of it can be read afterwards, whatever happens.
final class Spool {
    private static let memory = 8 << 20

    private let folder: String
    private let entropy: AgeEntropy
    private var kept: [[UInt8]] = []
    private var file: SpoolFile?
    private(set) var count: UInt64 = 0

    init(folder: String, entropy: @escaping AgeEntropy) {
        self.folder = folder
        self.entropy = entropy
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        count += UInt64(bytes.count)
        if file == nil, count <= UInt64(Self.memory) { return kept.append(Array(bytes)) }
        if file == nil { file = try SpoolFile(folder: folder, entropy) }
        try file?.append(bytes)
    }

    /// Passes on everything that was appended, once, in pieces.
    func drain(_ put: (UnsafeRawBufferPointer) throws -> Void) throws {
        for index in kept.indices {
            try kept[index].withUnsafeBytes(put)
            kept[index] = []
        }
        try file?.drain(put)
    }
}

/// A sealed file whose name was removed.
private final class SpoolFile {
    private let file: File
    private let identity: AgeIdentity
    private var encryptor: AgeEncryptor?
    private var size: UInt64 = 0

    init(folder: String, _ entropy: @escaping AgeEntropy) throws(ArchiveError) {
        do throws(FileError) {
            file = try File.temporary(in: folder, prefix: ".waxwing-spool-")
        } catch {
            throw ArchiveError(.failed, "\(folder): no temporary file can be made: \(error.reason)")
        }
        do {
            identity = try AgeIdentity.generate(entropy)
            encryptor = try AgeEncryptor(.recipients([identity.recipient]), entropy: entropy)
        } catch {
            throw ArchiveError(error)
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        let result = Result { try encryptor?.write(bytes, write) }
        if case .failure(let error) = result { throw error as? ArchiveError ?? ArchiveError(.failed, "\(error)") }
    }

    func drain(_ put: (UnsafeRawBufferPointer) throws -> Void) throws {
        try encryptor.take()?.finish(write)
        let reader = try AgeReader(SpoolSource(file: file, count: size), .identities([identity]))
        // The next piece is opened while this one is written.
        let worker = Worker("spool", backlog: 1)
        defer { worker.stop() }
        var (current, next) = (Piece(), Piece())
        var done: UInt64 = 0
        while done < reader.count {
            try worker.run { [next, done] () throws(ArchiveError) in try next.read(reader, at: done) }
            try current.put(put)
            try worker.finish()
            swap(&current, &next)
            done += UInt64(current.count)
        }
        try current.put(put)
    }

    /// A part of the file that is being read back.
    ///
    /// `@unchecked Sendable`: it belongs to the worker until the worker has finished.
    private final class Piece: @unchecked Sendable {
        private var bytes = [UInt8](repeating: 0, count: 1 << 20)
        private(set) var count = 0

        func read(_ reader: AgeReader, at place: UInt64) throws(ArchiveError) {
            count = Int(min(reader.count - place, UInt64(bytes.count)))
            try bytes.withMutableBytes { room throws(ArchiveError) in
                try reader.readAll(at: place, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            }
        }

        func put(_ put: (UnsafeRawBufferPointer) throws -> Void) throws {
            try bytes[..<count].withUnsafeBytes(put)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        do throws(FileError) {
            try file.write(bytes)
        } catch {
            throw ArchiveError(
                error.isFull ? .full : .failed, "the temporary file cannot be written: \(error.reason)")
        }
        size += UInt64(bytes.count)
    }
}

/// What was written to a file so far.
private struct SpoolSource: ByteSource {
    let file: File
    let count: UInt64

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int {
        try file.read(forAge: offset, into: buffer)
    }
}
