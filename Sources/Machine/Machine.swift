import Glibc

/// What the system says of the machine and of this process.
package enum Machine {
    /// The number of processor cores that can be used, at least 1.
    package static let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// The value of an environment variable; nil if it is not set.
    package static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Sets an environment variable, for this process and those it starts. No other thread may read the environment
    /// meanwhile.
    package static func setEnvironment(_ name: String, _ value: String) { setenv(name, value, 1) }

    /// The number of files this process may have open at a time; nil if the system does not say.
    package static var openFilesMax: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// The 16 bytes of an IPv6 address; nil if the text is not one.
    package static func ipv6Bytes(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    /// Ends the process without exit handlers: libraries would free there what other threads may still use, such as a
    /// TLS connection that is being closed.
    package static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }
}

/// The machine's clocks.
extension Machine {
    /// Milliseconds since 1970 on the wall clock; 0 if it is before that.
    package static var wallMilliseconds: UInt64 { read(CLOCK_REALTIME) }

    /// Milliseconds since the machine was started, including the time it slept.
    package static var uptimeMilliseconds: UInt64 { read(CLOCK_BOOTTIME) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(max(0, time.tv_nsec)) / 1_000_000
    }

    /// A time in the local time zone.
    ///
    /// - Parameters:
    ///   - seconds: since 1970.
    ///   - pattern: as for strftime(3); the text has at most 31 bytes.
    /// - Returns: nil for a time that the system's calendar does not reach.
    package static func localTime(_ seconds: UInt64, _ pattern: String) -> String? {
        guard var time = time_t(exactly: seconds) else { return nil }
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return nil }
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, pattern, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Threads.
extension Machine {
    /// Blocks the calling thread.
    package static func pause(microseconds: UInt32) { usleep(microseconds) }

    /// Runs `body` on a thread of its own.
    ///
    /// - Returns: false if the system has no thread to give; `body` is then not called.
    package static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        final class Job: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(body))
        let code = pthread_create(
            &thread, nil,
            { job in
                if let job { Unmanaged<Job>.fromOpaque(job).takeRetainedValue().body() }
                return nil
            }, job.toOpaque())
        guard code == 0 else {
            job.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
