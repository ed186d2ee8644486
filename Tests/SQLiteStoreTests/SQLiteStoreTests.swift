import Foundation
import GRDB
import StoreConformance
import TestFolders
import Testing
import WaxwingCore

@testable import SQLiteStore

typealias Table = WaxwingCore.Table
typealias Record = WaxwingCore.Record

@Suite struct SQLiteStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test(arguments: StoreConformance.Check.allCases)
    func conforms(_ check: StoreConformance.Check) throws {
        try StoreConformance { folder in try SQLiteStore(path: folder + "/store.db") }.run(check)
    }

    @Test func theWriterItselfIsDurableAndErases() throws {
        let store = try SQLiteStore(path: folder.store)
        // 2 is FULL. Read from the very connection that commits.
        func pragma(_ name: String) throws -> String? {
            try store.access { db in try String.fetchOne(db, sql: "PRAGMA \(name)") }
        }
        #expect(try pragma("synchronous") == "2")
        #expect(try pragma("journal_mode") == "wal")
        #expect(try pragma("secure_delete") == "1")
        #expect(try pragma("temp_store") == "2")
        #expect(try pragma("application_id") == "\(0x5741_5857)")
        #expect(try pragma("user_version") == "1")
        try store.apply([.put(.group, key: [1], value: [1])])
        #expect(try pragma("synchronous") == "2")
    }

    @Test func aClosedStoreFailsAndLosesNothing() throws {
        do {
            let store = try SQLiteStore(path: folder.store)
            try store.apply([.put(.history, key: [1], value: [2])])
            try store.close()
            #expect(code { _ = try store.revision() } == .failed)
            #expect(code { try store.apply([]) } == .failed)
        }
        let store = try SQLiteStore(path: folder.store)
        #expect(try store.revision() == 1)
        #expect(try store.all(.history) == [Record(key: [1], value: [2])])
    }

    @Test func filesAreForTheirOwnerAlone() throws {
        let store = try SQLiteStore(path: folder.store)
        try store.apply([.put(.history, key: [1], value: [2])])
        #expect(try folder.mode(folder.path + "/profile") == 0o700)
        #expect(try folder.mode(folder.path + "/profile/data") == 0o700)
        for suffix in ["", "-wal", "-shm"] { #expect(try folder.mode(folder.store + suffix) == 0o600, "\(suffix)") }
        try store.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.store)
        let again = try SQLiteStore(path: folder.store)
        try again.apply([.put(.history, key: [1], value: [2])])
        for suffix in ["", "-wal", "-shm"] { #expect(try folder.mode(folder.store + suffix) == 0o600, "\(suffix)") }
    }

    @Test func aChangeSetThatFailsInTheMiddleChangesNothing() throws {
        let store = try SQLiteStore(path: folder.store)
        try store.apply([.put(.outbox, key: [1], value: [1])])
        try store.access { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let before = try store.revision()
        let large = [UInt8](repeating: 7, count: 100_000)
        #expect(
            code {
                try store.apply([
                    .put(.outbox, key: [1], value: [2]), .delete(.outbox, key: [1]), .put(.group, key: [1], value: [2]),
                    .put(.history, key: [1], value: large),
                ])
            } == .full)
        #expect(try store.revision() == before)
        #expect(try store.all(.outbox) == [Record(key: [1], value: [1])])
        #expect(try store.all(.group).isEmpty)
        // There is room again.
        try store.access { db in try db.execute(sql: "PRAGMA max_page_count = 100000") }
        try store.apply([.put(.history, key: [1], value: large)])
        #expect(try store.value(.history, [1]) == large)
    }

    @Test func filesThatAreNotAStoreAreRefusedAndLeftAlone() throws {
        let file = folder.path + "/other.db"
        let text = Data(String(repeating: "this is no database at all. ", count: 200).utf8)
        try text.write(to: URL(fileURLWithPath: file))
        #expect(code { _ = try SQLiteStore(path: file) } == .corrupt)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == text)

        let foreign = folder.path + "/foreign.db"
        let queue = try DatabaseQueue(path: foreign)
        try queue.write { db in try db.execute(sql: "CREATE TABLE poem (line TEXT)") }
        try queue.close()
        #expect(code { _ = try SQLiteStore(path: foreign) } == .corrupt)
    }

    @Test func aDamagedStoreIsCorruptAndNotBelieved() throws {
        let store = try SQLiteStore(path: folder.store)
        for number in 0..<50 as Range<UInt8> {
            try store.apply([.put(.history, key: [number], value: [UInt8](repeating: 9, count: 2000))])
        }
        try store.close()
        let url = URL(fileURLWithPath: folder.store)
        let whole = try Data(contentsOf: url)
        // Half of the file is gone.
        try whole.prefix(whole.count / 2).write(to: url)
        #expect(
            code {
                let damaged = try SQLiteStore(path: folder.store)
                _ = try damaged.all(.history)
            } == .corrupt)
        // Every page but the first is overwritten.
        try (whole.prefix(4096) + Data(repeating: 0xa5, count: whole.count - 4096)).write(to: url)
        #expect(code { _ = try SQLiteStore(path: folder.store) } == .corrupt)
    }

    @Test func aNewerFormatIsRefusedAndLeftAlone() throws {
        try SQLiteStore(path: folder.store).close()
        let queue = try DatabaseQueue(path: folder.store)
        try queue.write { db in try db.execute(sql: "PRAGMA user_version = 2") }
        try queue.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.store))
        #expect(code { _ = try SQLiteStore(path: folder.store) } == .newerFormat)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.store)) == before)
    }

    @Test func placesThatCannotBeUsedAreNotPermitted() throws {
        try Data([1]).write(to: URL(fileURLWithPath: folder.path + "/file"))
        #expect(code { _ = try SQLiteStore(path: folder.path + "/file/store.db") } == .notPermitted)
        #expect(code { _ = try SQLiteStore(path: folder.path) } == .notPermitted)
    }

    @Test func sqliteCodesAreToldInTheWordsOfThePort() {
        func check(_ result: ResultCode, errno number: Int32 = 0, _ code: StoreError.Code) {
            let error = StoreError(sqlite: DatabaseError(resultCode: result), systemError: number, path: "/x")
            #expect(error.code == code, "\(result)")
        }
        check(.SQLITE_FULL, .full)
        check(.SQLITE_IOERR_WRITE, errno: ENOSPC, .full)
        check(.SQLITE_IOERR_FSYNC, errno: EDQUOT, .full)
        check(.SQLITE_IOERR_SHMSIZE, .full)
        check(.SQLITE_IOERR_READ, errno: EIO, .failed)
        check(.SQLITE_READONLY, .notPermitted)
        check(.SQLITE_READONLY_DIRECTORY, .notPermitted)
        check(.SQLITE_CANTOPEN, .notPermitted)
        check(.SQLITE_PERM, .notPermitted)
        check(.SQLITE_CORRUPT, .corrupt)
        check(.SQLITE_CORRUPT_INDEX, .corrupt)
        check(.SQLITE_NOTADB, .corrupt)
        check(.SQLITE_NOMEM, .failed)
        check(.SQLITE_BUSY, .failed)
    }
}
