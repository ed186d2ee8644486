import CProcess
import Glibc

/// Keys and words in the memory of this process, kept from the disk and from its neighbours.
public enum PrivateMemory {
    /// In a debug build the memory stays open to debuggers and crash reports, unless this variable of the environment is set. A release build does
    /// not look at it.
    public static let variable = "WAXWING_PRIVATE_MEMORY"

    /// Closes the memory of the process as a release build does. To be called in `main`, before anything secret is read.
    public static func closeForRelease() {
        #if DEBUG
            guard getenv(variable) != nil else { return }
        #endif
        close()
    }

    /// From here on the process leaves no core file, not even to a crash handler, and others of its user can neither attach to it nor read its
    /// memory (prctl(2), `PR_SET_DUMPABLE`; setrlimit(2), `RLIMIT_CORE`). The superuser can.
    ///
    /// - Returns: whether the system took both. Where it does not, the process goes on as it would have without.
    @discardableResult
    public static func close() -> Bool {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        let leavesNoCore = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
        return waxwing_set_dumpable(0) == 0 && leavesNoCore
    }

    /// Whether it is closed now, as the system says.
    public static var isClosed: Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return false }
        return limit.rlim_cur == 0 && limit.rlim_max == 0 && waxwing_get_dumpable() == 0
    }
}
