import Foundation
import GRDB
import StoreConformance
import TestFolders
import Testing
import WaxwingCore

@testable import SQLiteStore

/// What was deleted or overwritten is no longer in the files.
@Suite struct ErasureTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A value whose bytes can be recognized wherever they turn up, in pieces of 16 bytes.
    private func secret(_ number: Int, length: Int = 64) -> [UInt8] {
        let piece = Array("<secret \(String(format: "%07d", number))>".utf8)
        return Array(repeatElement(piece, count: max(1, length / piece.count)).joined())
    }

    private func numbers(in bytes: Data) -> Set<Int> {
        var found: Set<Int> = []
        let mark = Array("<secret ".utf8)
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var position = 0
            while let hit = memchr(base + position, Int32(mark[0]), buffer.count - position) {
                position = UnsafeRawPointer(hit) - base + 1
                let text = buffer[(position - 1)...].prefix(mark.count + 7)
                guard text.starts(with: mark) else { continue }
                if let number = Int(String(decoding: text.dropFirst(mark.count), as: UTF8.self)) {
                    found.insert(number)
                }
            }
        }
        return found
    }

    @Test func aReaderThatIsInTheWayIsWaitedForNoLongerThanNeeded() throws {
        let store = try SQLiteStore(path: folder.store)
        try store.apply([.put(.groupState, key: [1], value: secret(1))])
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: folder.store, configuration: configuration)
        try reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM group_state")
        }
        // The reader holds on to the old page: the commit succeeds anyway.
        try store.apply([.put(.groupState, key: [1], value: secret(2))])
        #expect(try store.value(.groupState, [1]) == secret(2))
        #expect(numbers(in: try folder.allBytes()) == [1, 2])
        try reader.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
        // The next commit makes up for it, though it deletes nothing itself.
        try store.apply([.put(.history, key: [1], value: [1])])
        #expect(numbers(in: try folder.allBytes()) == [2])
    }
}
