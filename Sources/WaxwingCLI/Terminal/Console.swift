import Files
import Machine
import Synchronization

/// Standard output for results, standard error for everything else.
enum Console {
    /// Text on the progress line, to be erased before anything else is printed.
    private static let progressShown = Mutex(false)
    /// Why standard output can no longer be written, as the system's error number.
    private static let trouble = Mutex<Int32?>(nil)
    private static let wasClosed = Mutex(false)

    /// Makes the standard streams safe to use. Call it before anything opens a file.
    static func begin() {
        let closed = StandardStreams.secure()
        wasClosed.withLock { $0 = closed.contains(StandardStreams.output) }
    }

    /// Writes `text` and a line end to standard output.
    ///
    /// If that fails, the command goes on without printing: it must not be left half done because no one reads its
    /// output. ``finish(_:)`` reports it in the end.
    static func print(_ text: String) {
        wipeProgress()
        let line = text + "\n"
        trouble.withLock { trouble in
            if trouble == nil { trouble = StandardStreams.write(line, to: StandardStreams.output) }
        }
    }

    /// Writes bytes as they are to standard output, which must not be closed.
    ///
    /// - Throws: ``OutputGone``.
    static func write(_ bytes: UnsafeRawBufferPointer) throws(OutputGone) {
        let isGone = trouble.withLock { trouble in
            if wasClosed.withLock({ $0 }) { trouble = StandardStreams.closed }
            if trouble == nil { trouble = StandardStreams.write(bytes, to: StandardStreams.output) }
            return trouble != nil
        }
        if isGone { throw OutputGone() }
    }

    /// For commands that only show things: stops them if there is no one left to read.
    ///
    /// - Throws: ``OutputGone``.
    static func checkOutput() throws(OutputGone) {
        if trouble.withLock({ $0 != nil }) { throw OutputGone() }
    }

    /// Reports at the end of the process if something could not be printed.
    ///
    /// A reader that has gone away, as `head` does, has read all it wanted; that is not reported.
    ///
    /// - Parameter code: the exit code of the command.
    /// - Returns: the exit code of the process.
    static func finish(_ code: Int32) -> Int32 {
        wipeProgress()
        guard let trouble = trouble.withLock({ $0 }), trouble != StandardStreams.noReader else { return code }
        tell(
            Failure(
                .outputFailed, "standard output cannot be written: \(FileError("", systemError: trouble).reason)",
                hint: code == 0 ? "what the command did is done; only its output is lost" : ""))
        return code == 0 ? ExitStatus.outputFailed.rawValue : code
    }

    /// Ends the process at once.
    static func leave(_ code: Int32) -> Never { Machine.leave(code) }

    /// A remark for people, on standard error.
    static func note(_ text: String) {
        wipeProgress()
        // If no one reads standard error, that stops nothing.
        _ = StandardStreams.write(text + "\n", to: StandardStreams.errors)
    }

    /// Shows progress, on a terminal only, replacing the last line.
    static func progress(_ text: String) {
        guard Terminal.isThere(StandardStreams.errors) else { return }
        progressShown.withLock { $0 = true }
        _ = StandardStreams.write("\r\u{1B}[K" + text, to: StandardStreams.errors)
    }

    /// Whether to print failures as JSON, as the command line asks.
    static let failsInJSON = Atomic(false)

    /// Prints why a command failed: in words, or as one line of JSON that is the last on standard error.
    static func tell(_ failure: Failure) {
        if failsInJSON.load(ordering: .relaxed), let line = try? JSON.line(FailureView(failure)) {
            note(line)
            return
        }
        note("waxwing: " + failure.message.onOneLine)
        if !failure.hint.isEmpty { note("  " + failure.hint.onOneLine) }
    }

    /// Prints why the process ends, and ends it.
    static func fail(_ failure: Failure) -> Never {
        tell(failure)
        leave(failure.status.rawValue)
    }

    static func wipeProgress() {
        let shown = progressShown.withLock { shown in
            defer { shown = false }
            return shown
        }
        if shown { _ = StandardStreams.write("\r\u{1B}[K", to: StandardStreams.errors) }
    }
}

/// Standard output can no longer be written. ``Console/finish(_:)`` reports it.
struct OutputGone: Error {}
