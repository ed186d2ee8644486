import Glibc

/// A fixture being written: every line is in the file when its call returns.
final class FixtureWriter: Sendable {
    private let descriptor: CInt

    /// Creates the file, or appends to an existing one. It is readable only by its owner in any case: it may contain
    /// keys.
    ///
    /// - Parameter mustBeNew: whether an existing file is an error; it stays unchanged.
    /// - Returns: also whether the file is new.
    /// - Throws: ``FixtureError``, also for what is not a plain file: a link, a folder, a pipe, a device.
    static func open(
        _ path: String, mustBeNew: Bool = false
    ) throws(FixtureError) -> (writer: FixtureWriter, isNew: Bool) {
        // A link may lead anywhere, and a pipe without a reader must not block.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (mustBeNew ? O_EXCL : 0)
        let descriptor = Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else {
            switch errno {
            case EEXIST: throw FixtureError("\(path) is there already")
            case ELOOP: throw FixtureError("\(path) is a link: name the file itself")
            default: throw FixtureError("\(path): \(String(cString: strerror(errno)))")
            }
        }
        let writer = FixtureWriter(descriptor: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FixtureError("\(path) is no file that can hold a recording")
        }
        // Another owner's file stays unchanged.
        guard fchmod(descriptor, 0o600) == 0 || errno == EPERM else {
            throw FixtureError("\(path): \(String(cString: strerror(errno)))")
        }
        return (writer, status.st_size == 0)
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Throws: if the disk is full, or gone.
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

/// A fixture that was read: a header, and commands with everything that happened in them.
public struct Fixture: Sendable {
    /// The newest format this version reads, and the one it writes.
    public static let format = 1

    let lines: [FixtureLine]

    init(lines: [FixtureLine]) { self.lines = lines }

    /// - Parameter text: the content of the file, within the bounds of ``FixtureLimits``.
    /// - Throws: ``FixtureError`` that names the line.
    public init(_ text: [UInt8]) throws(FixtureError) {
        guard text.count <= FixtureLimits.file else { throw FixtureError("this is too large for a recording") }
        var lines: [FixtureLine] = []
        var number = 0
        var rest = text[...]
        while !rest.isEmpty {
            number += 1
            let part = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[part.endIndex...].dropFirst()
            guard part.count <= FixtureLimits.line, number <= FixtureLimits.lines else {
                throw FixtureError("line \(number) is too much for a recording")
            }
            if part.isEmpty { continue }
            guard let line = try? FixtureLine(decoding: Array(part)) else {
                throw FixtureError("line \(number) is not a line of a fixture")
            }
            guard line.line == lines.count + 1 else {
                throw FixtureError("line \(number) says it is line \(line.line): lines are missing or doubled")
            }
            if let member = line.memberOutOfBounds {
                throw FixtureError("line \(number) cannot have been recorded: \(member) is out of bounds")
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

    /// - Parameter path: a file within the bounds of ``FixtureLimits``.
    /// - Throws: ``FixtureError``, also for what is not a file: a folder, a pipe, a device.
    public init(path: String) throws(FixtureError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FixtureError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FixtureError("\(path) is no file")
        }
        let tooLarge = FixtureError("\(path) is too large for a recording: more than \(FixtureLimits.file >> 20) MiB")
        guard status.st_size <= FixtureLimits.file else { throw tooLarge }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FixtureError("\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            text += buffer[..<count]
            // The file may be growing.
            guard text.count <= FixtureLimits.file else { throw tooLarge }
        }
        try self.init(text)
    }

    /// A command of a recording.
    public struct Command: Sendable {
        public let arguments: [String]
        /// The number of its line, from 1.
        public var line: Int { position + 1 }
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

    /// What a recording keeps of a command line: nothing of the way to the server, nor of the source of a password.
    public static func kept(_ arguments: [String]) -> [String] { Masks.arguments(arguments) }

    /// Whether it holds everything needed to replay it.
    public var isReplayable: Bool { lines[0].entropy == true }
}

/// Why a fixture cannot be read or written.
public struct FixtureError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
