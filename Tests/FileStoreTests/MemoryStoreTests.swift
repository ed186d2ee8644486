import Foundation
import StoreConformance
import Synchronization
import Testing
import WaxwingCore

/// The store that the article about plug-ins shows.
@Suite struct MemoryStoreTests {
    @Test(arguments: StoreConformance.Check.allCases.filter { !$0.isAboutTheDisk })
    func conforms(_ check: StoreConformance.Check) throws {
        try StoreConformance { _ in MemoryStore() }.run(check)
    }

    @Test func theArticleShowsThisVeryStore() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let article = try String(
            contentsOf: root.appendingPathComponent("Sources/WaxwingCore/WaxwingCore.docc/WritingAPlugIn.md"),
            encoding: .utf8)
        let here = try String(contentsOfFile: #filePath, encoding: .utf8)
        let start = try #require(here.range(of: "\nfinal class MemoryStore"))
        let text = here[start.lowerBound...].trimmingCharacters(in: .newlines)
        #expect(article.contains(text))
    }
}

final class MemoryStore: Store {
    private let state = Mutex((revision: UInt64(0), tables: [Table: [[UInt8]: [UInt8]]]()))

    func revision() -> UInt64 { state.withLock { $0.revision } }

    func value(_ table: Table, _ key: [UInt8]) -> [UInt8]? { state.withLock { $0.tables[table]?[key] } }

    func page(_ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool) -> [Record] {
        let records = state.withLock { $0.tables[table] ?? [:] }.map { Record(key: $0.key, value: $0.value) }
        let range = records.filter { record in
            !record.key.lexicographicallyPrecedes(lower) && upper.map(record.key.lexicographicallyPrecedes) ?? true
        }
        let sorted = range.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return Array((descending ? sorted.reversed() : sorted).prefix(limit))
    }

    func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        let isCurrent = state.withLock { state in
            guard state.revision == changes.base else { return false }
            for change in changes.changes {
                switch change {
                case .put(let table, let key, let value): state.tables[table, default: [:]][key] = value
                case .delete(let table, let key): state.tables[table]?[key] = nil
                case .deletePrefix(let table, let prefix):
                    state.tables[table] = state.tables[table]?.filter { !$0.key.starts(with: prefix) }
                }
            }
            state.revision += 1
            return true
        }
        guard isCurrent else { throw StoreError(.staleRevision, "Another change set was committed first.") }
        return changes.base + 1
    }
}
