import Foundation

/// A wrong wall clock for the processes that are given it. It can be set while they run. Their monotonic clocks stay
/// right.
///
/// Made by libfaketime, from the Debian package of that name.
struct FakeClock: Hashable, Sendable {
    /// Nil if the package is missing.
    static let library: String? = {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        return folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }()

    /// What a process needs to use this clock.
    let environment: [String: String]
    private let file: String

    /// Makes one that is right at first.
    ///
    /// - Parameter folder: where its files go.
    init(folder: String) throws {
        let library = try Self.library ?? { throw ChildProcess.Failure(description: "libfaketime is missing") }()
        file = folder + "/clock-" + UUID().uuidString
        environment = [
            "LD_PRELOAD": "\(try Self.makeShim(in: folder)) \(library)", "FAKETIME_TIMESTAMP_FILE": file,
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        ]
        try set(ahead: 0)
    }

    /// - Parameter seconds: how far it is ahead of the right time from now on.
    func set(ahead seconds: Int) throws {
        // Put in place at once: it is read at every look at the clock.
        try Data("\(seconds < 0 ? "" : "+")\(seconds)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    /// Put in front of the library, which also shifts timers of the monotonic clock, which then never ring; moves the
    /// environment away from where Swift looks for a process's arguments; and leaves files behind.
    private static let shim = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <semaphore.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <unistd.h>

        int timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *old) {
            return syscall(SYS_timerfd_settime, fd, flags, time, old);
        }
        int setenv(const char *name, const char *value, int overwrite) {
            if (strcmp(name, "FAKETIME_SHARED") == 0) return 0;
            int (*next)(const char *, const char *, int) = dlsym(RTLD_NEXT, "setenv");
            return next(name, value, overwrite);
        }
        sem_t *sem_open(const char *name, int flags, ...) {
            static sem_t own;
            sem_init(&own, 0, 1);
            return &own;
        }
        int sem_close(sem_t *sem) { return 0; }
        int sem_unlink(const char *name) { return 0; }
        int shm_open(const char *name, int flags, mode_t mode) { return memfd_create("clock", MFD_CLOEXEC); }
        int shm_unlink(const char *name) { return 0; }
        """

    private static func makeShim(in folder: String) throws -> String {
        let library = folder + "/clock-shim.so"
        if FileManager.default.fileExists(atPath: library) { return library }
        let source = folder + "/clock-shim.c"
        try Data(shim.utf8).write(to: URL(fileURLWithPath: source))
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw ChildProcess.Failure(description: "the shim for libfaketime does not compile")
        }
        return library
    }
}
