import CFaults
import Foundation
import StoreConformance
import TestFolders
import Testing
import WaxwingCore

@testable import FileStore

@Suite struct FileStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func code(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    /// A store with records of every table, in the manifest and in files.
    private func filledStore(_ path: String) throws -> FileStore {
        let store = try FileStore(path: path)
        for round in 0..<12 as Range<UInt8> {
            try store.apply(
                Table.allCases.flatMap { table in
                    (0..<10).map {
                        .put(table, key: [$0, round], value: [UInt8](repeating: table.rawValue, count: 300))
                    }
                })
        }
        return store
    }

    @Test(arguments: StoreConformance.Check.allCases)
    func conforms(_ check: StoreConformance.Check) throws {
        try StoreConformance { folder in try FileStore(path: folder) }.run(check)
    }

    /// What a crash left behind is neither read nor removed, and nothing has to exist to be locked.
    @Test func readingChangesNothing() throws {
        let path = folder.path + "/store"
        let store = try filledStore(path)
        let expected = try Table.allCases.map { try store.all($0) }
        for name in ["manifest.next", "history-999999.rows"] {
            try Data("torn".utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        }
        try FileManager.default.removeItem(atPath: path + "/lock")
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        let reader = try FileStore(reading: path)
        #expect(try Table.allCases.map { try reader.all($0) } == expected)
        #expect(try reader.revision() == store.revision())
        #expect(code { _ = try reader.commit(ChangeSet(base: reader.revision())) }?.code == .notPermitted)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == names)

        // It follows what others commit.
        let writer = try FileStore(path: path)
        try writer.apply([.put(.outbox, key: [1], value: [9])])
        #expect(try reader.value(.outbox, [1]) == [9])

        #expect(code { _ = try FileStore(reading: folder.path + "/none") } != nil)
        let empty = folder.path + "/empty"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        #expect(try FileStore(reading: empty).revision() == 0)
    }

    @Test func filesAreForTheirOwnerAlone() throws {
        let path = folder.path + "/profile/store"
        _ = try filledStore(path)
        #expect(try folder.mode(folder.path + "/profile") == 0o700)
        #expect(try folder.mode(path) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.count > 10)
        for name in names { #expect(try folder.mode(path + "/" + name) == 0o600, "\(name)") }
    }

    @Test func aPagerShowsWhatWasSaid() throws {
        let store = try FileStore(path: folder.path)
        let text = "Grüße aus dem Tal: \"bis bald\"\n\u{202e}"
        try store.apply([
            .put(.history, key: [0xab, 1], value: [0, 7] + Array(text.utf8)),
            .put(.account, key: [], value: (0..<48).map { $0 &* 37 | 0x80 }), .put(.seen, key: [1], value: []),
        ])
        let manifest = try String(contentsOfFile: folder.path + "/manifest", encoding: .utf8)
        let lines = manifest.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0...2] == ["waxwing store 1", "revision 1", "next 1"])
        #expect(lines.contains("ab01 \"\\x00\\x07Grüße aus dem Tal: \\\"bis bald\\\"\\n\\xe2\\x80\\xae\""))
        #expect(lines.contains("01 \"\""))
        #expect(lines.contains { $0.hasPrefix(" gK") && !$0.contains("\"") }, "what nobody can read is in base64")
        #expect(lines.suffix(2).first?.hasPrefix("sum ") == true && lines.last == "")
    }

    @Test func openingReadsNoRows() throws {
        let keys = (0..<200 as Range<UInt8>).map { [$0] }
        do {
            let store = try FileStore(path: folder.path)
            try store.apply(keys.map { .put(.history, key: $0, value: [UInt8](repeating: 1, count: 3000)) })
            try store.apply([.put(.outbox, key: [1], value: [1])])
        }
        let rows = try files(".rows")
        #expect(rows.count > 5)
        for name in rows { try FileManager.default.removeItem(atPath: folder.path + "/" + name) }
        let store = try FileStore(path: folder.path)
        #expect(try store.value(.outbox, [1]) == [1])
        let error = code { _ = try store.all(.history) }
        #expect(error?.code == .corrupt)
        #expect(rows.contains { error?.reason.contains($0) ?? false }, "the missing file is named")
    }

    @Test func theNumberOfFilesFollowsTheBytes() throws {
        let store = try FileStore(path: folder.path)
        var random = SystemRandomNumberGenerator()
        func keys(_ count: Int) -> [[UInt8]] {
            (0..<count).map { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        }
        for _ in 0..<40 {
            try store.apply(keys(50).map { .put(.seen, key: $0, value: [UInt8](repeating: 1, count: 200)) })
        }
        func bytes() throws -> Int {
            try files(".rows").reduce(0) {
                $0 + (try FileManager.default.attributesOfItem(atPath: folder.path + "/" + $1)[.size] as! Int)
            }
        }
        let full = try files(".rows").count
        #expect(try full <= bytes() / (FileStoreLimits.rowsBytesMin / 2) && full > 5)
        // Most of it is deleted again, here and there.
        let all = try store.all(.seen).map(\.key)
        for start in stride(from: 0, to: all.count, by: 100) {
            try store.apply(all[start..<min(start + 100, all.count)].dropFirst(3).map { .delete(.seen, key: $0) })
        }
        #expect(try files(".rows").count <= 2 + bytes() / (FileStoreLimits.rowsBytesMin / 2))
        #expect(try store.all(.seen).count == all.count / 100 * 3)
        try store.apply([.deletePrefix(.seen, prefix: [])])
        #expect(try files(".rows").isEmpty && files(".index").isEmpty)
    }

    @Test func anAlteredFileIsNamedAndNotBelieved() throws {
        var names: [String] = []
        do {
            _ = try filledStore(folder.path)
            names = try files(".rows") + files(".index") + ["manifest"]
        }
        #expect(names.count > 15)
        for name in names {
            let url = URL(fileURLWithPath: folder.path + "/" + name)
            let whole = try Data(contentsOf: url)
            let altered: [Data] = [
                whole.prefix(whole.count - 1), whole.prefix(whole.count / 2), Data(), whole + Data([10]),
                Data(whole.enumerated().map { $0.offset == whole.count * 2 / 3 ? $0.element ^ 1 : $0.element }),
                Data(repeating: 0, count: whole.count),
            ]
            for bytes in altered {
                try bytes.write(to: url)
                let error = code {
                    let store = try FileStore(path: folder.path)
                    for table in Table.allCases { _ = try store.all(table) }
                }
                #expect(
                    error?.code == .corrupt && error?.reason.contains("/" + name) == true, "\(name): \(error as Any)")
            }
            try whole.write(to: url)
        }
        let store = try FileStore(path: folder.path)
        for table in Table.allCases { #expect(try store.all(table).count == 120) }
    }

    @Test func whatIsNoStoreIsRefusedAndLeftAlone() throws {
        try Data("a diary".utf8).write(to: URL(fileURLWithPath: folder.path + "/diary.txt"))
        #expect(code { _ = try FileStore(path: folder.path) }?.code == .corrupt)
        #expect(try files(".txt") == ["diary.txt"])
        #expect(code { _ = try FileStore(path: folder.path + "/diary.txt") }?.code == .notPermitted)
        // A store that has lost its manifest is not mistaken for an empty one.
        let lost = folder.path + "/lost"
        _ = try filledStore(lost)
        let count = try FileManager.default.contentsOfDirectory(atPath: lost).count
        try FileManager.default.removeItem(atPath: lost + "/manifest")
        #expect(code { _ = try FileStore(path: lost) }?.code == .corrupt)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lost).count == count - 1)
    }

    @Test func aNewerFormatIsRefusedAndLeftAlone() throws {
        _ = try FileStore(path: folder.path)
        let url = URL(fileURLWithPath: folder.path + "/manifest")
        let newer = Data("waxwing store 2\nsomething else\n".utf8)
        try newer.write(to: url)
        #expect(code { _ = try FileStore(path: folder.path) }?.code == .newerFormat)
        #expect(try Data(contentsOf: url) == newer)
    }

    @Test func leftoversOfACrashAreRemovedOnOpening() throws {
        _ = try filledStore(folder.path)
        let before = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
        for name in ["history-999999.rows", "outbox-999998.index", "manifest.next"] {
            try Data("secret".utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }
        let store = try FileStore(path: folder.path)
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder.path)) == before)
        #expect(try store.all(.history).count == 120)
    }

    /// Another process has the store open, and goes on, when one is killed at any call of its commit.
    @Test func whoGoesOnRemovesWhatAKilledOneLeft() throws {
        var call: UInt64 = 1
        while true {
            let path = "\(folder.path)/\(call)"
            let scratch = path + "-scratch"
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            let watching = try FileStore(path: path)
            try watching.apply([.put(.groupState, key: [1], value: [UInt8](repeating: 1, count: 20_000))])
            let killed = try FileStore(path: path)
            waxwing_faults_arm(WAXWING_FAULT_CRASH, call, EIO, scratch)
            // It is dead from that call on; what it says does not matter.
            try? killed.apply([
                .put(.groupState, key: [1], value: [UInt8](repeating: 2, count: 20_000)),
                .put(.staged, key: [1], value: [UInt8](repeating: 2, count: 20_000)),
            ])
            let calls = waxwing_faults_disarm()
            waxwing_faults_forget()
            // Takes the same numbers for other names.
            for round in 3..<5 as Range<UInt8> {
                try watching.apply([.put(.history, key: [round], value: [UInt8](repeating: round, count: 20_000))])
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: path).filter(\.isRowsOrIndex)
            #expect(Set(names) == (try namedFiles(path)), "after a crash at call \(call)")
            if calls < call { break }
            call += 1
        }
        #expect(call > 8)
    }

    /// All files that the manifest and its indexes name.
    private func namedFiles(_ path: String) throws -> Set<String> {
        let manifest = try Manifest(decoding: Array(try Data(contentsOf: URL(fileURLWithPath: path + "/manifest"))))
        var names: Set<String> = []
        for (table, index) in manifest.indexes {
            let text = Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + index.name)))
            names.formUnion([index.name] + (try FileFormat.index(in: text, of: table)).map(\.file.name))
        }
        return names
    }

    @Test func openingRemovesWhateverNothingNames() throws {
        _ = try filledStore(folder.path)
        let before = try namedFiles(folder.path)
        // A name that was given away since, of a commit that was killed long ago.
        for name in ["history-1.index", "group_state-2.rows", "outbox-3.rows"] where !before.contains(name) {
            try Data("secret".utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }
        _ = try FileStore(path: folder.path)
        #expect(Set(try files(".rows") + files(".index")) == before)
    }

    @Test func aClosedStoreFailsAndLosesNothing() throws {
        let store = try FileStore(path: folder.path)
        try store.apply([.put(.history, key: [1], value: [2])])
        store.close()
        #expect(code { _ = try store.revision() }?.code == .failed)
        #expect(code { _ = try store.commit(ChangeSet(base: 1)) }?.code == .failed)
        #expect(try FileStore(path: folder.path).value(.history, [1]) == [2])
    }

    @Test func everyValueComesBackFromItsText() throws {
        func check(_ value: [UInt8]) {
            var text: [UInt8] = []
            ValueText.append(value, to: &text)
            #expect(!text.contains(10) && ValueText.value(of: text[...]) == value, "\(value)")
        }
        var random = SystemRandomNumberGenerator()
        for length in 0..<200 {
            check((0..<length).map { _ in random.next() })
            check((0..<length).map { _ in UInt8.random(in: 32..<127) })
            check(Array("\\\"\n\u{0}ß\u{200b}鳥\u{1f426}\u{85}\u{ffff}".utf8.prefix(length)))
        }
        for text in ["", "\"", "\"\\\"", "\"\\x4\"", "\"\\q\"", "abc", "ab=c", "====", "a\"bc"] {
            let value = ValueText.value(of: Array(text.utf8)[...])
            #expect(value == nil || text.isEmpty, "\(text)")
        }
    }

    private func files(_ suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(suffix) }.sorted()
    }
}

extension String {
    fileprivate var isRowsOrIndex: Bool { hasSuffix(".rows") || hasSuffix(".index") }
}
