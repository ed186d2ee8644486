import Foundation
import StoreConformance
import TestFolders
import Testing
import WaxwingCore

@testable import SQLiteStore

/// Several processes on one file.
@Suite struct SharingProcessTests {
    /// Adds one to the counter under `[1]`, `times` times, and starts over whenever someone else was first.
    ///
    /// - Returns: how often that happened.
    static func count(_ times: Int, in path: String) throws -> Int {
        let store = try SQLiteStore(path: path)
        var conflicts = 0
        var done = 0
        while done < times {
            var changes = ChangeSet(base: try store.revision())
            let value = try store.value(.account, [1])?.reduce(0) { $0 << 8 | Int($1) } ?? 0
            changes.changes = [
                .put(.account, key: [1], value: [UInt8((value + 1) >> 8), UInt8((value + 1) & 255)]),
                .put(.history, key: [UInt8(value >> 8), UInt8(value & 255)], value: [1]),
            ]
            do throws(StoreError) {
                _ = try store.commit(changes)
                done += 1
            } catch {
                guard error.code == .staleRevision else { throw error }
                conflicts += 1
            }
        }
        return conflicts
    }

    private func expectCount(_ total: Int, in path: String) throws {
        let store = try SQLiteStore(path: path)
        #expect(try store.value(.account, [1]) == [UInt8(total >> 8), UInt8(total & 255)])
        #expect(try store.all(.history).count == total)
        #expect(try store.revision() == UInt64(total))
    }

    @Test func twoProcessesLoseNothing() async throws {
        let folder = try TemporaryFolder()
        let path = folder.store
        async let ours = Task.detached { try Self.count(150, in: path) }.value
        await #expect(processExitsWith: .success) { [path = path as String] in
            _ = try SharingProcessTests.count(150, in: path)
        }
        _ = try await ours
        try expectCount(300, in: path)
    }

    @Test func aKilledProcessLosesNothingItWasToldIsSafe() async throws {
        let folder = try TemporaryFolder()
        let path = folder.store
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try SQLiteStore(path: path)
            for number in 0..<20 as Range<UInt8> {
                try store.apply([
                    .put(.history, key: [number], value: [number]), .put(.groupState, key: [1], value: [number]),
                ])
            }
            // In the middle of a change set.
            try store.access { db in
                try db.execute(sql: "BEGIN IMMEDIATE")
                try db.execute(sql: "DELETE FROM history")
                kill(getpid(), SIGKILL)
            }
        }
        let store = try SQLiteStore(path: path)
        #expect(try store.revision() == 20)
        #expect(try store.all(.history).count == 20)
        #expect(try store.value(.groupState, [1]) == [19])
    }
}
