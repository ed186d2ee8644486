/// Why the server could not start, in words for its operator.
public struct StartupError: Error, Hashable, CustomStringConvertible {
    /// The cause.
    public enum Code: Hashable, Sendable {
        case dataDirectory
        case database
        case address
        case certificate
        /// A backup that cannot be made or used.
        case backup
    }

    public let code: Code
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Compares only the code, so that tests do not depend on wording.
    public static func == (a: StartupError, b: StartupError) -> Bool { a.code == b.code }

    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
