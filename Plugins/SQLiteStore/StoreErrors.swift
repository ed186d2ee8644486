import Machine
import Files
import GRDB
import WaxwingCore

extension StoreError {
    /// SQLite's errors in the terms of the port.
    ///
    /// - Parameter systemError: `errno` of the operation that failed; 0 if it is not known.
    init(sqlite error: any Error, systemError: Int32 = 0, path: String) {
        guard let error = error as? DatabaseError else {
            self = (error as? StoreError) ?? StoreError(.failed, "\(path): \(error)")
            return
        }
        let message = error.message ?? "error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self = .full(path)
        case .SQLITE_IOERR where FileError(path, .init(rawValue: systemError)).isFull,
            .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            // The shared index of the log could not grow.
            self = .full(path)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self = StoreError(.notPermitted, "\(path) cannot be read or written: \(message)")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = StoreError(.corrupt, "\(path) is damaged or not a store: \(message)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = StoreError(.failed, "\(path) was in use by another process for too long")
        default:
            self = StoreError(.failed, "\(path): \(message)")
        }
    }

    /// The operating system's error for a file or folder.
    init(_ error: FileError) {
        if error.isFull {
            self = .full(error.path)
        } else {
            self.init(
                error.isRefusal ? .notPermitted : .failed, "\(error.path) cannot be created: \(error.reason)")
        }
    }

    private static func full(_ path: String) -> StoreError { StoreError(.full, "the disk of \(path) is full") }
}

/// Runs `body` again while SQLite reports that the file is busy, for as long as a commit would wait.
func retryingWhileBusy<Result>(_ body: () throws -> Result) throws -> Result {
    let pauseMicroseconds: UInt32 = 5000
    var left = Int(SQLiteStoreLimits.busySeconds * 1_000_000) / Int(pauseMicroseconds)
    while true {
        do {
            return try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && left > 0 {
            left -= 1
            Machine.pause(microseconds: pauseMicroseconds)
        }
    }
}
