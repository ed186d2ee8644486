import Glibc

/// Descriptors 0 to 2, as the parent process left them.
public enum StandardStreams {
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
