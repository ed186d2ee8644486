internal import Files
import Glibc

/// The terminal that controls this process.
package enum Terminal {
    package enum Trouble: Error {
        /// There is none.
        case missing
        /// It cannot be asked, for the reason that the system gives.
        case unusable(String)
        /// Someone stopped it.
        case interrupted
    }

    /// Whether what is written to a descriptor appears on a terminal.
    package static func isThere(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Shows a prompt, and lets `read` read the answer while the terminal shows nothing of it.
    ///
    /// - Parameters:
    ///   - isStopped: asked now and then until something is typed.
    ///   - read: called with the terminal's descriptor.
    /// - Throws: ``Trouble``, and what `read` throws.
    package static func askHidden<Answer>(
        _ prompt: String, isStopped: () -> Bool, read: (Int32) throws -> Answer
    ) throws -> Answer {
        // Why there is none does not matter.
        guard let file = try? File("/dev/tty", .readWrite) else { throw Trouble.missing }
        let terminal = file.descriptor
        defer { withExtendedLifetime(file) {} }
        var settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else {
            throw Trouble.unusable(String(cString: strerror(errno)))
        }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &settings)
            _ = StandardStreams.write("\n", to: terminal)
        }
        _ = StandardStreams.write(prompt, to: terminal)
        var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 100) <= 0 {
            if isStopped() { throw Trouble.interrupted }
        }
        return try read(terminal)
    }
}
