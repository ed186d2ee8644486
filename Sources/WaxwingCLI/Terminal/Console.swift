import Glibc
import Synchronization

/// Standard output for results, standard error for everything else.
enum Console {
    /// Text on the progress line that has to be wiped before anything else is printed.
    private static let progressShown = Mutex(false)

    /// Writes `text` and a line end to standard output.
    ///
    /// A reader who has gone away ends the process quietly: what was done is on disk. Any other failure ends it too, and says so.
    static func print(_ text: String) {
        wipeProgress()
        guard let code = write(text + "\n", to: STDOUT_FILENO) else { return }
        if code == EPIPE { exit(EXIT_SUCCESS) }
        fail(
            Failure(
                code == ENOSPC ? .diskFull : .other,
                "standard output cannot be written: \(String(cString: strerror(code)))"
            ))
    }

    /// A remark for people, on standard error.
    static func note(_ text: String) {
        wipeProgress()
        // Nobody may be listening there; that stops nothing.
        _ = write(text + "\n", to: STDERR_FILENO)
    }

    /// Shows how far something has come, on a terminal only, each time in place of the last.
    static func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        progressShown.withLock { $0 = true }
        _ = write("\r\u{1B}[K" + text, to: STDERR_FILENO)
    }

    /// Tells why a command failed.
    static func tell(_ failure: Failure) {
        note("waxwing: " + failure.message.asClause)
        if !failure.hint.isEmpty { note("  " + failure.hint.onOneLine) }
    }

    /// Tells why the process ends, and ends it.
    static func fail(_ failure: Failure) -> Never {
        tell(failure)
        exit(failure.status.rawValue)
    }

    static func wipeProgress() {
        let shown = progressShown.withLock { shown in
            defer { shown = false }
            return shown
        }
        if shown { _ = write("\r\u{1B}[K", to: STDERR_FILENO) }
    }

    /// - Returns: the error number where not all could be written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            bytes = bytes.dropFirst(count)
        }
        return nil
    }
}
