package import Files
import Glibc

/// Descriptors 0 to 2, as the parent process left them.
public enum StandardStreams {
    package static let input = STDIN_FILENO
    package static let output = STDOUT_FILENO
    package static let errors = STDERR_FILENO

    /// The system's error number for a descriptor that is not open.
    package static let closed = EBADF
    /// The system's error number for a pipe that no one reads.
    package static let noReader = EPIPE

    /// Makes them safe to read and write, whatever they are. Call it first in a process, before anything opens a file.
    ///
    /// Opens a closed one on /dev/null: otherwise the next file or socket would get its number, and log output could
    /// end up in a database. From now on, a reader that goes away causes a failed write (`EPIPE`), not a signal that
    /// ends the process.
    ///
    /// - Returns: those that were closed.
    @discardableResult
    public static func secure() -> Set<Int32> {
        signal(SIGPIPE, SIG_IGN)
        var closed: Set<Int32> = []
        for descriptor in STDIN_FILENO...STDERR_FILENO {
            guard fcntl(descriptor, F_GETFD) < 0, errno == EBADF else { continue }
            closed.insert(descriptor)
            // This is the lowest free number. If there is no /dev/null, it is taken by something that can be neither
            // read nor written.
            if open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0 {
                _ = open("/", O_RDONLY | O_DIRECTORY)
            }
        }
        return closed
    }

    /// Reads what is available from a descriptor, at most so many bytes; nothing at the end.
    ///
    /// - Throws: ``FileError`` without a path.
    package static func read(_ count: Int, from descriptor: Int32) throws(FileError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let got = Glibc.read(descriptor, &buffer, count)
            if got >= 0 { return Array(buffer[..<got]) }
            let code = errno
            if code != EINTR { throw FileError("", systemError: code) }
        }
    }

    /// Writes all of `bytes`, and waits for a reader if the descriptor itself does not.
    ///
    /// - Returns: nil, or the system's error number.
    public static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Another process shares it with us and has made it non-blocking.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            case let code: return code
            }
        }
        return nil
    }

    /// The same for a text.
    public static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}
