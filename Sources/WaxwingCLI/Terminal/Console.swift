import Glibc
import StandardStreams
import Synchronization

/// Standard output for results, standard error for everything else.
enum Console {
    /// Text on the progress line that has to be wiped before anything else is printed.
    private static let progressShown = Mutex(false)
    /// Why standard output takes nothing any more, as the system's number.
    private static let trouble = Mutex<Int32?>(nil)
    private static let wasClosed = Mutex(false)

    /// Makes the standard streams safe to use. To be called before anything opens a file.
    static func begin() {
        let closed = StandardStreams.secure()
        wasClosed.withLock { $0 = closed.contains(STDOUT_FILENO) }
    }

    /// Writes `text` and a line end to standard output.
    ///
    /// Where that fails, what the command does goes on, and is not printed: it must not be left half done because no one hears of it. ``finish(_:)``
    /// tells of it in the end.
    static func print(_ text: String) {
        wipeProgress()
        let line = text + "\n"
        trouble.withLock { trouble in
            if trouble == nil { trouble = StandardStreams.write(line, to: STDOUT_FILENO) }
        }
    }

    /// Writes bytes as they are to standard output, which must not be closed.
    ///
    /// - Throws: ``OutputGone``.
    static func write(_ bytes: UnsafeRawBufferPointer) throws(OutputGone) {
        let isGone = trouble.withLock { trouble in
            if wasClosed.withLock({ $0 }) { trouble = EBADF }
            if trouble == nil { trouble = StandardStreams.write(bytes, to: STDOUT_FILENO) }
            return trouble != nil
        }
        if isGone { throw OutputGone() }
    }

    /// For whoever only shows things: there is no one left to show them to.
    ///
    /// - Throws: ``OutputGone``.
    static func checkOutput() throws(OutputGone) {
        if trouble.withLock({ $0 != nil }) { throw OutputGone() }
    }

    /// Tells at the end of the process whether something could not be printed.
    ///
    /// A reader that has gone away, as `head` does, has had all it wanted: nothing is said of that.
    ///
    /// - Parameter code: the exit code of what was done.
    /// - Returns: the exit code of the process.
    static func finish(_ code: Int32) -> Int32 {
        wipeProgress()
        guard let trouble = trouble.withLock({ $0 }), trouble != EPIPE else { return code }
        tell(
            Failure(
                .outputFailed, "standard output cannot be written: \(String(cString: strerror(trouble)))",
                hint: code == 0 ? "what the command did is done all the same: only what it had to say is lost" : ""))
        return code == 0 ? ExitStatus.outputFailed.rawValue : code
    }

    /// Ends the process. What is done at the exit of a program is left out: libraries take down there what other threads may be in the middle of, such
    /// as the end of a TLS connection.
    static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// A remark for people, on standard error.
    static func note(_ text: String) {
        wipeProgress()
        // Nobody may be listening there; that stops nothing.
        _ = StandardStreams.write(text + "\n", to: STDERR_FILENO)
    }

    /// Shows how far something has come, on a terminal only, each time in place of the last.
    static func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        progressShown.withLock { $0 = true }
        _ = StandardStreams.write("\r\u{1B}[K" + text, to: STDERR_FILENO)
    }

    /// Whether failures are told as JSON, since the command line asks for that.
    static let failsInJSON = Atomic(false)

    /// Tells why a command failed: in words, or as one line of JSON that is the last on standard error.
    static func tell(_ failure: Failure) {
        if failsInJSON.load(ordering: .relaxed), let line = try? JSON.line(FailureView(failure)) {
            note(line)
            return
        }
        note("waxwing: " + failure.message.asClause)
        if !failure.hint.isEmpty { note("  " + failure.hint.onOneLine) }
    }

    /// Tells why the process ends, and ends it.
    static func fail(_ failure: Failure) -> Never {
        tell(failure)
        leave(failure.status.rawValue)
    }

    static func wipeProgress() {
        let shown = progressShown.withLock { shown in
            defer { shown = false }
            return shown
        }
        if shown { _ = StandardStreams.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}

/// Standard output takes nothing any more. What is to be said of that says ``Console/finish(_:)``.
struct OutputGone: Error {}
