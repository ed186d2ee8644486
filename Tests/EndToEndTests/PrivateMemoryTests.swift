import Foundation
import Testing

extension EndToEnd {
    /// The two programs as a release build runs them, with their memory closed.
    @Suite struct PrivateMemoryTests {
        private static let closed = ["WAXWING_PRIVATE_MEMORY": "1"]

        /// Whether the system keeps a process from leaving a core file.
        private static func leavesNoCore(_ pid: pid_t) throws -> Bool {
            let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
            return limits.contains(#/Max core file size +0 +0 /#)
        }

        /// What belongs to the superuser in /proc, no one else can read; what belongs to its owner, their other
        /// processes can.
        private static func isClosed(_ pid: pid_t) throws -> Bool {
            var status = stat()
            try #require(stat("/proc/\(pid)/mem", &status) == 0)
            return status.st_uid == 0
        }

        @Test func peopleTalkWithTheirMemoryClosed() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                try await stage.room(people)
                let watching = try people[1].start(["watch"], environment: Self.closed)
                #expect(await eventually { watching.errors.contains("connected") }, "\(watching.errors)")
                #expect(try Self.leavesNoCore(watching.pid) && Self.isClosed(watching.pid))
                let sending = try people[0].start(["send", "room", "hello"], environment: Self.closed)
                #expect(try await sending.exit().status == 0, "\(sending.errors)")
                #expect(await eventually { watching.output.contains("hello") }, "\(watching.output)")
                // A crash ends it at once, with no core file and without a backtracer.
                watching.signal(SIGSEGV)
                #expect(try await watching.exit(within: 20).status == -SIGSEGV)
            }
        }

        @Test func theServerServesWithItsMemoryClosed() async throws {
            try await withFolder { folder in
                let process = try ChildProcess(
                    Programs.waxwingd, ["--data", folder + "/data", "--listen", "127.0.0.1:0"],
                    environment: Programs.environment.merging(Self.closed) { $1 }, folder: folder)
                #expect(await eventually { process.output.hasSuffix("\n") }, "\(process.errors)")
                #expect(try Self.leavesNoCore(process.pid) && Self.isClosed(process.pid))
                let url = process.output.split(separator: " ").last.map { String($0.dropLast()) } ?? ""
                try await Person("alice", folder: folder).register(at: url)
                process.signal(SIGTERM)
                #expect(try await process.exit().status == 0)
            }
        }
    }
}
