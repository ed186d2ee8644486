import Glibc

/// The right to talk to the server for one profile. Only one process on the profile has it at a time.
///
/// It is an advisory lock on a file, so it ends with the process, however the process ends.
public final class ConnectionLease: Sendable {
    private let descriptor: Int32

    /// Takes the lease if it is free.
    ///
    /// - Parameter path: a file in the profile, made with mode 0600 if it is missing.
    /// - Returns: nil if another process has it.
    /// - Throws: ``LeaseError`` if the file cannot be opened or locked.
    public static func take(path: String) throws(LeaseError) -> ConnectionLease? { try take(path, LOCK_EX) }

    /// Takes a share of the lease. Any number of processes may have one while none has all of it.
    ///
    /// - Returns: nil if another process has all of it.
    /// - Throws: ``LeaseError``.
    public static func share(path: String) throws(LeaseError) -> ConnectionLease? { try take(path, LOCK_SH) }

    /// Whether another process has all of the lease. Briefly takes a share to find out.
    public static func isTaken(path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Takes a share for reading only: nothing has to be writable.
    ///
    /// If there is no file and none can be made, no one can have the lease either, and the share is empty.
    ///
    /// - Returns: nil if another process has all of it.
    /// - Throws: ``LeaseError``.
    public static func shareToRead(path: String) throws(LeaseError) -> ConnectionLease? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 { return try lock(descriptor, LOCK_SH) }
        guard errno == ENOENT else { throw LeaseError(systemError: errno) }
        do {
            return try share(path: path)
        } catch {
            guard [EROFS, ENOSPC, EDQUOT, EACCES, EPERM].contains(error.systemError) else { throw error }
            return ConnectionLease(-1)
        }
    }

    private static func take(_ path: String, _ kind: Int32) throws(LeaseError) -> ConnectionLease? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LeaseError(systemError: errno) }
        return try lock(descriptor, kind)
    }

    private static func lock(_ descriptor: Int32, _ kind: Int32) throws(LeaseError) -> ConnectionLease? {
        if flock(descriptor, kind | LOCK_NB) == 0 { return ConnectionLease(descriptor) }
        let code = errno
        close(descriptor)
        if code == EWOULDBLOCK { return nil }
        throw LeaseError(systemError: code)
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// The lease's file could not be used.
public struct LeaseError: Error, Sendable, CustomStringConvertible {
    /// The system's error number, such as `ENOSPC`.
    public let systemError: Int32
    public var reason: String { String(cString: strerror(systemError)) }
    public var description: String { reason }
}
