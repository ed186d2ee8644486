import Foundation
import GRDB
import Testing
import WaxwingCore

@testable import SQLiteStore

/// What was deleted or overwritten is not in the files any more.
@Suite struct ErasureTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A value that is told apart from every other wherever its bytes turn up, in pieces of 16 bytes.
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

    @Test func overwrittenAndDeletedValuesLeaveTheFilesAtOnce() throws {
        let store = try SQLiteStore(path: folder.store)
        try store.apply([.put(.groupState, key: [1], value: secret(1)), .put(.keyPackage, key: [1], value: secret(2))])
        #expect(numbers(in: try folder.allBytes()) == [1, 2])
        try store.apply([.put(.groupState, key: [1], value: secret(3))])
        #expect(numbers(in: try folder.allBytes()) == [2, 3])
        try store.apply([.delete(.keyPackage, key: [1])])
        #expect(numbers(in: try folder.allBytes()) == [3])
        try store.apply([.put(.staged, key: [1, 1], value: secret(4, length: 50_000))])
        try store.apply([.deletePrefix(.staged, prefix: [1])])
        #expect(numbers(in: try folder.allBytes()) == [3])
    }

    @Test(arguments: [1, 2] as [UInt64])
    func nothingOfTheOldSurvivesTheMovesOfATree(seed: UInt64) throws {
        // Cells move between pages as a tree grows and shrinks. A copy left behind by a move would be found here.
        let store = try SQLiteStore(path: folder.store)
        var random = Generator(state: seed)
        var live: [[UInt8]: Int] = [:]
        var next = 0
        for _ in 0..<60 {
            var changes: [ChangeSet.Change] = []
            for _ in 0..<random.below(40) {
                let key = [UInt8(random.below(256)), UInt8(random.below(4))]
                if random.below(5) < 3 {
                    next += 1
                    changes.append(.put(.groupState, key: key, value: secret(next, length: 16 + random.below(400))))
                    live[key] = next
                } else if random.below(20) == 0 {
                    changes.append(.deletePrefix(.groupState, prefix: [key[0]]))
                    live = live.filter { $0.key[0] != key[0] }
                } else {
                    changes.append(.delete(.groupState, key: key))
                    live[key] = nil
                }
            }
            // A change set without a deletion leaves nothing to erase.
            changes.append(.put(.account, key: [1], value: [UInt8(random.below(256))]))
            try store.apply(changes)
            #expect(numbers(in: try folder.allBytes()).subtracting(live.values).isEmpty)
        }
        #expect(live.count > 50)
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
        // The reader holds on to the old page: the commit succeeds all the same.
        try store.apply([.put(.groupState, key: [1], value: secret(2))])
        #expect(try store.value(.groupState, [1]) == secret(2))
        #expect(numbers(in: try folder.allBytes()) == [1, 2])
        try reader.writeWithoutTransaction { db in try db.execute(sql: "COMMIT") }
        // The next commit makes up for it, though it deletes nothing itself.
        try store.apply([.put(.history, key: [1], value: [1])])
        #expect(numbers(in: try folder.allBytes()) == [2])
    }
}

/// SplitMix64: the same numbers from the same seed.
private struct Generator {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
}
