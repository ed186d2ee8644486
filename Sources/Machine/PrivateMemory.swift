import CProcess
import Glibc

/// Keeps secrets in the memory of this process from the disk and from other processes.
public enum PrivateMemory {
    /// In a debug build the memory stays open to debuggers and crash reports, unless this environment variable is set.
    /// A release build ignores it.
    public static let variable = "WAXWING_PRIVATE_MEMORY"

    /// Closes the memory of the process as a release build does. Call it in `main`, before anything secret is read.
    public static func closeForRelease() {
        #if DEBUG
            guard getenv(variable) != nil else { return }
        #endif
        close()
    }

    /// From here on the process leaves no core file, not even to a crash handler, and other processes of its user can
    /// neither attach to it nor read its memory (prctl(2), `PR_SET_DUMPABLE`; setrlimit(2), `RLIMIT_CORE`). The
    /// superuser can.
    ///
    /// - Returns: whether the system accepted both. If it does not, the process goes on without.
    @discardableResult
    public static func close() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        let leavesNoCore = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
        return waxwing_set_dumpable(0) == 0 && leavesNoCore
    }

    /// Whether it is closed now, as the system reports.
    public static var isClosed: Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return false }
        return limit.rlim_cur == 0 && limit.rlim_max == 0 && waxwing_get_dumpable() == 0
    }
}
