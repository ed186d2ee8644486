import FileStore
import TestFolders
import Testing
import WaxwingCore

/// Several processes on one folder.
@Suite struct SharingProcessTests {
    static func count(_ times: Int, in path: String, as writer: UInt8) throws {
        let store = try FileStore(path: path)
        var done: UInt8 = 0
        while done < times {
            var changes = ChangeSet(base: try store.revision())
            let value = try store.value(.account, [1])?.first ?? 0
            changes.changes = [
                .put(.account, key: [1], value: [value + 1]),
                .put(.history, key: [writer, done], value: [UInt8](repeating: 1, count: 500)),
            ]
            do throws(StoreError) {
                _ = try store.commit(changes)
                done += 1
            } catch {
                if error.code != .staleRevision { throw error }
            }
        }
    }

    @Test func twoProcessesLoseNothing() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        async let ours: Void = Task.detached { try Self.count(100, in: path, as: 1) }.value
        await #expect(processExitsWith: .success) { [path = path as String] in
            try SharingProcessTests.count(100, in: path, as: 2)
        }
        try await ours
        let store = try FileStore(path: path)
        #expect(try store.value(.account, [1]) == [200])
        #expect(try store.all(.history).count == 200)
    }
}
