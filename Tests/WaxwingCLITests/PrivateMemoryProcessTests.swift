import Machine
import Glibc
import Testing

/// What the system says about a process that has closed its memory, and about one that has not.
struct PrivateMemoryProcessTests {
    @Test func aClosedProcessLeavesNoCore() async {
        await #expect(processExitsWith: .success) {
            precondition(!PrivateMemory.isClosed, "it is closed before anyone closed it")
            precondition(PrivateMemory.close() && PrivateMemory.isClosed)
            // What the program itself needs of /proc can still be read.
            precondition(open("/proc/self/status", O_RDONLY) >= 0 && open("/proc/self/fd/0", O_RDONLY) != -2)
        }
    }

    /// A debug build is closed only if the variable says so.
    @Test func aDebugBuildIsClosedWhereItIsAskedFor() async {
        await #expect(processExitsWith: .success) {
            unsetenv(PrivateMemory.variable)
            PrivateMemory.closeForRelease()
            #if DEBUG
                precondition(!PrivateMemory.isClosed)
            #endif
            setenv(PrivateMemory.variable, "1", 1)
            PrivateMemory.closeForRelease()
            precondition(PrivateMemory.isClosed)
        }
    }
}
