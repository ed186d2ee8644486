import Glibc

/// The right to talk to the server for one profile: of all processes on it, one has it at a time.
///
/// It is an advisory lock on a file, so it ends with the process, however that ends.
public final class ConnectionLease: Sendable {
    private let descriptor: Int32

    /// Takes the lease if it is free.
    ///
    /// - Parameter path: a file in the profile, made with mode 0600 where it is missing.
    /// - Returns: nil where another process has it.
    /// - Throws: ``LeaseError`` where the file cannot be opened or locked.
    public static func take(path: String) throws(LeaseError) -> ConnectionLease? { try take(path, LOCK_EX) }

    /// Takes a share of the lease: any number of processes may have one while nobody has it whole.
    ///
    /// - Returns: nil where somebody has it whole.
    /// - Throws: ``LeaseError``.
    public static func share(path: String) throws(LeaseError) -> ConnectionLease? { try take(path, LOCK_SH) }

    private static func take(_ path: String, _ kind: Int32) throws(LeaseError) -> ConnectionLease? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LeaseError(reason: String(cString: strerror(errno))) }
        if flock(descriptor, kind | LOCK_NB) == 0 { return ConnectionLease(descriptor) }
        let code = errno
        close(descriptor)
        if code == EWOULDBLOCK { return nil }
        throw LeaseError(reason: String(cString: strerror(code)))
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}

/// The lease's file could not be used.
public struct LeaseError: Error, Sendable, CustomStringConvertible {
    public let reason: String
    public var description: String { reason }
}
