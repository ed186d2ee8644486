import Glibc

/// Locks on open files (flock(2)). They are advisory, belong to what was opened, and end with the process, however it
/// ends.
extension File {
    package enum Lock: Sendable {
        /// No one else has any lock.
        case exclusive
        /// Others may have shared ones.
        case shared
    }

    /// Takes a lock if no one is in the way.
    ///
    /// - Returns: whether it has the lock now.
    /// - Throws: ``FileError``.
    package func tryLock(_ kind: Lock) throws(FileError) -> Bool {
        if flock(descriptor, (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
        let code = lastError
        if code == .wouldBlock { return false }
        throw FileError(path, code)
    }

    /// Takes the lock for one, and tries again until it can.
    ///
    /// - Returns: false if someone else was in the way for so long.
    /// - Throws: ``FileError``.
    package func lock(withinSeconds seconds: Double) throws(FileError) -> Bool {
        let pauseMicroseconds: UInt32 = 2000
        var left = Int(seconds * 1_000_000) / Int(pauseMicroseconds)
        while true {
            do throws(FileError) {
                if try tryLock(.exclusive) { return true }
            } catch  where error.code == .interrupted {
                // As if someone were in the way.
            }
            guard left > 0 else { return false }
            left -= 1
            usleep(pauseMicroseconds)
        }
    }

    package func unlock() { flock(descriptor, LOCK_UN) }
}
