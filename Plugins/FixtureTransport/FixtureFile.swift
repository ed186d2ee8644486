import Files

/// A fixture being written: every line is in the file when its call returns.
final class FixtureWriter: Sendable {
    private let file: File

    /// Creates the file, or appends to an existing one. It is readable only by its owner in any case: it may contain
    /// keys.
    ///
    /// - Parameter mustBeNew: whether an existing file is an error; it stays unchanged.
    /// - Returns: also whether the file is new.
    /// - Throws: ``FixtureError``, also for what is not a plain file: a link, a folder, a pipe, a device.
    static func open(
        _ path: String, mustBeNew: Bool = false
    ) throws(FixtureError) -> (writer: FixtureWriter, isNew: Bool) {
        let file: File
        do throws(FileError) {
            // A link may lead anywhere, and a pipe without a reader must not block.
            let options: File.Options = [.create, .append, .noFollow, .nonBlocking]
            file = try File(path, .writeOnly, mustBeNew ? options.union(.exclusiveCreate) : options)
        } catch {
            switch error.code {
            case .fileExists: throw FixtureError("\(path) is there already")
            case .tooManySymbolicLinkLevels: throw FixtureError("\(path) is a link: name the file itself")
            default: throw FixtureError(error.description)
            }
        }
        // What has no status can hold no recording either.
        guard let status = try? file.status(), status.isRegular else {
            throw FixtureError("\(path) is no file that can hold a recording")
        }
        do throws(FileError) {
            try file.setPermissions(0o600)
        } catch  where error.code == .notPermitted {
            // Another owner's file stays unchanged.
        } catch {
            throw FixtureError(error.description)
        }
        return (FixtureWriter(file), status.size == 0)
    }

    private init(_ file: File) { self.file = file }

    /// - Throws: if the disk is full, or gone.
    func write(_ bytes: [UInt8]) throws(FixtureError) {
        do throws(FileError) {
            try file.write(bytes)
        } catch {
            throw FixtureError("the recording cannot be written: \(error.reason)")
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
        let file: File
        do throws(FileError) {
            file = try File(path, .readOnly, .nonBlocking)
        } catch {
            throw FixtureError(error.description)
        }
        // What has no status is no file to read either.
        guard let status = try? file.status(), status.isRegular else { throw FixtureError("\(path) is no file") }
        var text: [UInt8]?
        do throws(FileError) {
            // The file may be growing.
            if status.size <= FixtureLimits.file { text = try file.readToEnd(atMost: FixtureLimits.file) }
        } catch {
            throw FixtureError(error.description)
        }
        guard let text else {
            throw FixtureError("\(path) is too large for a recording: more than \(FixtureLimits.file >> 20) MiB")
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
