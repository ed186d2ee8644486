import Foundation
import StoreConformance
import TestFolders
import Testing
import WaxwingCore

@testable import SQLiteStore

/// Reading without writing.
@Suite struct ReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A store whose latest change sets are only in the log, as a reader that does not let go keeps them there.
    ///
    /// - Returns: the contents after each change set, by revision.
    private func storeWithLog(_ path: String) throws -> (
        store: SQLiteStore, reader: SQLiteReader, states: [[Table: [Record]]]
    ) {
        let store = try SQLiteStore(path: path)
        try store.apply([.put(.history, key: [0], value: [0])])
        var states = [[:], try content(of: store)]
        let reader = try SQLiteReader(path: path)
        var held = false
        try reader.forEach(.history, from: [], below: nil) { _, _ in
            // Within the reader's transaction: the log cannot be cut.
            do {
                for round in 1..<12 as Range<UInt8> {
                    var changes: [ChangeSet.Change] = (0..<20).map {
                        .put(.groupState, key: [$0, round % 3], value: [UInt8](repeating: round, count: 400))
                    }
                    changes.append(.put(.history, key: [round], value: [round]))
                    if round % 4 == 0 { changes.append(.deletePrefix(.groupState, prefix: [round])) }
                    try store.apply(changes)
                    states.append(try content(of: store))
                }
                held = true
            } catch {
                Issue.record("\(error)")
            }
            return false
        }
        try #require(held)
        return (store, reader, states)
    }

    private func content(of store: any Store) throws -> [Table: [Record]] {
        var content: [Table: [Record]] = [:]
        for table in Table.allCases {
            let records = try store.page(table, from: [], below: nil, limit: 1_000_000, descending: false)
            if !records.isEmpty { content[table] = records }
        }
        return content
    }

    /// Wherever the log ends, torn or whole, the image holds what SQLite itself would bring back.
    @Test func anImageHoldsWhatSQLiteWouldBringBack() throws {
        let path = folder.path + "/store.db"
        let (store, _, states) = try storeWithLog(path)
        let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        try #require(log.count > 12 * 4096, "there is too little in the log")
        let database = try Data(contentsOf: URL(fileURLWithPath: path))
        try store.close()
        var seen: Set<UInt64> = []
        for step in 0...40 {
            let copy = folder.path + "/copy-\(step).db"
            var part = log.prefix(step == 40 ? log.count : log.count * step / 40 + step % 3)
            // And here and there a byte is wrong.
            if step % 7 == 3, part.count > 5000 { part[part.count - 4200] ^= 1 }
            try database.write(to: URL(fileURLWithPath: copy))
            try part.write(to: URL(fileURLWithPath: copy + "-wal"))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            let image = try DatabaseImage(path: copy)
            let revision = try image.queue.inDatabase { try Schema.revision($0) }
            for table in Table.allCases {
                let records = try image.queue.inDatabase {
                    try $0.page(table, from: [], below: nil, limit: 1_000_000, descending: false)
                }
                #expect(records == states[Int(revision)][table] ?? [], "step \(step), \(table)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == names)
            // SQLite's own opinion, which changes the files.
            #expect(try SQLiteStore(path: copy).revision() == revision, "step \(step)")
            seen.insert(revision)
        }
        #expect(seen.count > 5 && seen.contains(UInt64(states.count - 1)), "\(seen)")
    }

    @Test func aReaderSeesWhatOthersCommitAndCommitsNothing() throws {
        let path = folder.path + "/store.db"
        let (store, reader, states) = try storeWithLog(path)
        #expect(try content(of: reader) == states.last)
        try store.apply([.put(.outbox, key: [1], value: [1])])
        #expect(try reader.value(.outbox, [1]) == [1])
        #expect(try reader.revision() == store.revision())
        #expect(throws: StoreError(.notPermitted, "")) { try reader.commit(ChangeSet(base: try reader.revision())) }
        #expect(throws: StoreError.self) { try SQLiteReader(path: folder.path + "/none.db") }
    }

    @Test func anEmptyFileIsAnEmptyStoreUntilSomebodyBeginsOne() throws {
        let path = folder.path + "/store.db"
        try Data().write(to: URL(fileURLWithPath: path))
        let reader = try SQLiteReader(path: path)
        #expect(try reader.revision() == 0)
        #expect(try content(of: reader).isEmpty)
        let store = try SQLiteStore(path: path)
        try store.apply([.put(.outbox, key: [1], value: [1])])
        #expect(try reader.value(.outbox, [1]) == [1])
    }
}
