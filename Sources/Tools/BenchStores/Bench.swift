import FileStore
import Foundation
import SQLiteStore
import WaxwingCore

/// The stores that are measured.
enum Kind: String, CaseIterable {
    case sqlite = "SQLite"
    case files

    func open(_ path: String) throws -> any Store {
        switch self {
        case .sqlite: try SQLiteStore(path: path)
        case .files: try FileStore(path: path)
        }
    }
}

/// One store with a number of groups in it.
struct Bench {
    /// Change sets timed together.
    static let batch = 20
    /// Groups written by one change set while the store is filled.
    private static let filling = 200

    let kind: Kind
    let groups: Int
    private let folder: URL
    private var path: String { folder.appending(path: "store/it").path }

    init(_ kind: Kind, groups: Int) throws {
        self.kind = kind
        self.groups = groups
        // Not the folder for temporary files: it may be in memory.
        folder = URL(fileURLWithPath: ".build/bench-stores-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "store"), withIntermediateDirectories: true)
    }

    func clear() {
        // What cannot be removed stays in the build folder.
        try? FileManager.default.removeItem(at: folder)
    }

    func run(messages: Int) throws {
        let bare = try BareSQLite(folder.appending(path: "bare.sqlite").path)
        let file = try BareFile(folder.appending(path: "bare").path)
        try fill(bare)
        let before = try size()
        print("\(kind.rawValue), \(groups) group\(groups == 1 ? "" : "s")")
        try changeSets(messages, bare, file)
        let grown = Double(try size() - before) / Double(messages)
        line(
            "disk for one message", String(format: "%.0f bytes", grown),
            String(format: "%.2f of its %d bytes", grown / Double(Sample.payload), Sample.payload))
        try opening()
        line("on disk", "\(try size() / 1024) KiB", "\(try files()) files")
        print("")
    }

    /// Puts the groups in, in a few large change sets.
    private func fill(_ bare: BareSQLite) throws {
        let store = try kind.open(path)
        for first in stride(from: 0, to: groups, by: Self.filling) {
            var changes = ChangeSet(base: try store.revision())
            for group in first..<min(first + Self.filling, groups) { changes.changes += Sample.group(group) }
            _ = try store.commit(changes)
            try bare.commit(changes.changes)
        }
    }

    private func changeSets(_ messages: Int, _ bare: BareSQLite, _ file: BareFile) throws {
        let store = try kind.open(path)
        var revision = try store.revision()
        var times: [(store: Double, sqlite: Double, fsync: Double)] = []
        for first in stride(from: 0, to: messages, by: Self.batch) {
            let range = first..<min(first + Self.batch, messages)
            // A large prime spreads them over all groups.
            let changes = range.map { Sample.message(10 + $0, group: $0 &* 104_729 % groups) }
            let own = try seconds {
                for changes in changes {
                    var set = ChangeSet(base: revision)
                    set.changes = changes
                    revision = try store.commit(set)
                }
            }
            let sqlite = try seconds { for changes in changes { try bare.commit(changes) } }
            let fsync = try seconds { for _ in changes { try file.append() } }
            let count = Double(range.count)
            times.append((own / count, sqlite / count, fsync / count))
        }
        let own = times.map(\.store).median
        line(
            "change sets", String(format: "%.0f a second", 1 / own),
            String(
                format: "%.2f times bare SQLite (%.0f µs), %.2f times bare fsync (%.0f µs)",
                times.map { $0.store / $0.sqlite }.median, times.map(\.sqlite).median * 1e6,
                times.map { $0.store / $0.fsync }.median, times.map(\.fsync).median * 1e6))
    }

    private func opening() throws {
        var times: [(store: Double, sqlite: Double)] = []
        for _ in 0..<21 {
            let own = try seconds {
                let store = try kind.open(path)
                guard try store.value(.group, Sample.id(groups - 1)) != nil else {
                    throw Trouble("the group is gone")
                }
            }
            let sqlite = try seconds { try BareSQLite(folder.appending(path: "bare.sqlite").path).readOne() }
            times.append((own, sqlite))
        }
        line(
            "open, read one record", String(format: "%.2f ms", times.map(\.store).median * 1e3),
            String(format: "%.2f times bare SQLite", times.map { $0.store / $0.sqlite }.median))
    }

    private func line(_ name: String, _ value: String, _ ratio: String) {
        let name = name.padding(toLength: 24, withPad: " ", startingAt: 0)
        print("  \(name)\(value.padding(toLength: 18, withPad: " ", startingAt: 0))\(ratio)")
    }

    private func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = DispatchTime.now().uptimeNanoseconds
        try work()
        return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }

    private func contents() throws -> [URL] {
        let all = FileManager.default.enumerator(
            at: folder.appending(path: "store"), includingPropertiesForKeys: [.isRegularFileKey, .fileSizeKey])
        return (all?.allObjects as? [URL] ?? []).filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true  // what is gone is not a file
        }
    }

    private func files() throws -> Int { try contents().count }

    private func size() throws -> Int {
        try contents().reduce(0) { $0 + (try $1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
    }
}

extension [Double] {
    /// Zero if there are no values.
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
