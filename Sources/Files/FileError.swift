import Glibc
package import SystemPackage

/// A system call on a file or folder that failed.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file or folder, as the caller named it.
    package let path: String
    /// The system's error, such as `noSpace`.
    package let code: Errno

    package init(_ path: String, _ code: Errno) {
        self.path = path
        self.code = code
    }

    /// - Parameter systemError: the system's error number, such as `ENOSPC`.
    package init(_ path: String, systemError: Int32) { self.init(path, Errno(rawValue: systemError)) }

    /// The system's words, such as `No such file or directory`.
    package var reason: String { code.description }
    package var description: String { "\(path): \(reason)" }

    /// Whether the disk, or the user's share of it, is full.
    package var isFull: Bool { code == .noSpace || code == .diskQuotaExceeded }

    /// Whether the file may not be used in this way: for want of rights, or because it is something else.
    package var isRefusal: Bool {
        switch code {
        case .permissionDenied, .notPermitted, .readOnlyFileSystem, .notDirectory, .isDirectory,
            .tooManySymbolicLinkLevels:
            true
        default: false
        }
    }
}

/// The error of the last call. Read it before anything else is called.
var lastError: Errno { Errno(rawValue: errno) }
