public import Age

/// Why an archive cannot be written or read. Two errors are equal when their codes are.
public struct ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of errors.
    public enum Code: String, Hashable, Sendable {
        /// Not an archive of this program, though it could be opened.
        case notAnArchive
        /// No identity opens it, or the passphrase is wrong.
        case wrongKey
        /// Altered, or damaged.
        case damaged
        /// Truncated.
        case truncated
        /// From a newer version.
        case newerFormat
        /// A feature that is not supported.
        case unsupported
        /// The input, or the request, is invalid.
        case invalidInput
        /// There is no room for temporary files.
        case full
        /// The file, or the place for temporary files, fails.
        case failed
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The same error in the terms of archives.
    public init(_ error: AgeError) {
        switch error.code {
        case .wrongKey, .workFactorTooHigh: self.init(.wrongKey, error.reason)
        case .malformedHeader, .malformedArmor: self.init(.notAnArchive, error.reason)
        case .damaged, .damagedHeader: self.init(.damaged, error.reason)
        case .truncated: self.init(.truncated, error.reason)
        case .unsupported: self.init(.unsupported, error.reason)
        case .invalidKey: self.init(.invalidInput, error.reason)
        case .unreadable, .failed: self.init(.failed, error.reason)
        }
    }

    public static func == (a: ArchiveError, b: ArchiveError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
    public var description: String { reason }
}
