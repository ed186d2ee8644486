/// Why a command failed, for scripts.
struct FailureView: Encodable {
    struct Content: Encodable {
        /// The name of the exit code; it never changes its meaning.
        var code: String
        /// One sentence.
        var message: String
        /// What to do next.
        var hint: String?
        /// The exit code.
        var exit: Int32
    }

    var error: Content

    init(_ failure: Failure) {
        error = Content(
            code: "\(failure.status)", message: failure.message, hint: failure.hint.isEmpty ? nil : failure.hint,
            exit: failure.status.rawValue)
    }
}
