import Glibc

/// A fixture that is being written: every line is in the file when its call returns.
final class FixtureWriter: Sendable {
    private let descriptor: CInt

    /// Creates the file, or goes on at the end of one that is there. It is for its owner alone in any case: keys may be in it.
    ///
    /// - Returns: besides, whether the file is new.
    static func open(_ path: String) throws(FixtureError) -> (writer: FixtureWriter, isNew: Bool) {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FixtureError("\(path): \(String(cString: strerror(errno)))") }
        // Another owner's file stays as it is.
        guard fchmod(descriptor, 0o600) == 0 || errno == EPERM else {
            let code = errno
            close(descriptor)
            throw FixtureError("\(path): \(String(cString: strerror(code)))")
        }
        var status = stat()
        let isNew = fstat(descriptor, &status) == 0 && status.st_size == 0
        return (FixtureWriter(descriptor: descriptor), isNew)
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Throws: where the disk is full, or gone.
    func write(_ bytes: [UInt8]) throws(FixtureError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw FixtureError("the recording cannot be written: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// A fixture as it was read: a header, and commands with all that happened in them.
public struct Fixture: Sendable {
    /// The newest format this version reads and the one it writes.
    public static let format = 1

    let lines: [FixtureLine]

    init(lines: [FixtureLine]) { self.lines = lines }

    /// - Parameter text: the content of the file.
    /// - Throws: ``FixtureError`` that names the line.
    public init(_ text: [UInt8]) throws(FixtureError) {
        var lines: [FixtureLine] = []
        for (index, part) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if part.isEmpty { continue }
            guard let line = try? FixtureLine(decoding: Array(part)) else {
                throw FixtureError("line \(index + 1) is not a line of a fixture")
            }
            guard line.line == lines.count + 1 else {
                throw FixtureError("line \(index + 1) says it is line \(line.line): lines are missing or doubled")
            }
            lines.append(line)
        }
        guard let header = lines.first, header.kind == .header, let format = header.format else {
            throw FixtureError("this is no fixture: it does not begin with a header")
        }
        guard format <= Self.format else {
            throw FixtureError("the fixture is of format \(format), this program reads format \(Self.format)")
        }
        self.lines = lines
    }

    /// - Parameter path: a file of at most 1 GB.
    /// - Throws: ``FixtureError``.
    public init(path: String) throws(FixtureError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FixtureError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FixtureError("\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            text += buffer[..<count]
            guard text.count <= 1 << 30 else { throw FixtureError("\(path) is too large for a fixture") }
        }
        try self.init(text)
    }

    /// A command of a recording.
    public struct Command: Sendable {
        public let arguments: [String]
        /// Whether it took anything from outside besides the time: an answer, random numbers, a password, input.
        public let tookAnything: Bool
        let position: Int
    }

    /// The commands in the order in which they were recorded.
    public var commands: [Command] {
        lines.indices.filter { lines[$0].kind == .command }.map { position in
            let rest = lines[(position + 1)...].prefix { $0.kind != .exit && $0.kind != .command }
            return Command(
                arguments: lines[position].arguments ?? [], tookAnything: rest.contains { $0.kind != .clock },
                position: position)
        }
    }

    /// What a recording keeps of a command line: nothing of the way to the server, nor of where a password came from.
    public static func kept(_ arguments: [String]) -> [String] { Masks.arguments(arguments) }

    /// Whether it holds all that is needed to play it again.
    public var isReplayable: Bool { lines[0].entropy == true }
}

/// Why a fixture cannot be read or written.
public struct FixtureError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
