import Files

/// The right to talk to the server for one profile. Only one process on the profile has it at a time.
///
/// It is an advisory lock on a file, so it ends with the process, however the process ends.
public final class ConnectionLease: Sendable {
    /// Locked; nil for a share of what no one can have.
    private let file: File?

    private init(_ file: File?) { self.file = file }

    /// Takes the lease if it is free.
    ///
    /// - Parameter path: a file in the profile, made with mode 0600 if it is missing.
    /// - Returns: nil if another process has it.
    /// - Throws: ``LeaseError`` if the file cannot be opened or locked.
    public static func take(path: String) throws(LeaseError) -> ConnectionLease? { try make(path, .exclusive) }

    /// Takes a share of the lease. Any number of processes may have one while none has all of it.
    ///
    /// - Returns: nil if another process has all of it.
    /// - Throws: ``LeaseError``.
    public static func share(path: String) throws(LeaseError) -> ConnectionLease? { try make(path, .shared) }

    /// Whether another process has all of the lease. Briefly takes a share to find out.
    public static func isTaken(path: String) -> Bool {
        // A file that is not there, or cannot be locked, is no one's.
        (try? File(path, .readOnly).tryLock(.shared)) == false
    }

    /// Takes a share for reading only: nothing has to be writable.
    ///
    /// If there is no file and none can be made, no one can have the lease either, and the share is empty.
    ///
    /// - Returns: nil if another process has all of it.
    /// - Throws: ``LeaseError``.
    public static func shareToRead(path: String) throws(LeaseError) -> ConnectionLease? {
        let file: File
        do throws(FileError) {
            file = try File(path, .readOnly)
        } catch  where error.code == .noSuchFileOrDirectory {
            do throws(FileError) {
                return try lock(try File(path, .readWrite, .create), .shared)
            } catch {
                guard error.isFull || error.isRefusal else { throw LeaseError(error) }
                return ConnectionLease(nil)
            }
        } catch {
            throw LeaseError(error)
        }
        do throws(FileError) { return try lock(file, .shared) } catch { throw LeaseError(error) }
    }

    private static func make(_ path: String, _ kind: File.Lock) throws(LeaseError) -> ConnectionLease? {
        do throws(FileError) {
            return try lock(try File(path, .readWrite, .create), kind)
        } catch {
            throw LeaseError(error)
        }
    }

    private static func lock(_ file: File, _ kind: File.Lock) throws(FileError) -> ConnectionLease? {
        try file.tryLock(kind) ? ConnectionLease(file) : nil
    }
}

/// The lease's file could not be used.
public struct LeaseError: Error, Sendable, CustomStringConvertible {
    /// The system's error number, such as `ENOSPC`.
    public let systemError: Int32
    public let reason: String
    public var description: String { reason }

    init(_ error: FileError) {
        systemError = error.code.rawValue
        reason = error.reason
    }
}
