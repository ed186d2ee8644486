import CFaults
import Foundation
import WaxwingCore

/// What holds if the disk fails, the process is killed or the power goes, at any call that changes something on the
/// disk.
extension StoreConformance {
    /// Change sets of the kinds an account makes: small and large values, new, overwritten and deleted ones, one record
    /// and many.
    private static var session: [[ChangeSet.Change]] {
        // ASCII text, since a debug build of a store that writes text takes long to convert other bytes.
        func value(_ fill: UInt8, _ length: Int) -> [UInt8] { [UInt8](repeating: 0x30 + fill % 64, count: length) }
        func keys(_ count: Int, _ first: UInt8) -> [[UInt8]] {
            (0..<count).map { [first, UInt8($0 >> 8), UInt8($0 & 255)] }
        }
        return [
            [.put(.account, key: [1], value: value(1, 300)), .put(.group, key: [1], value: value(2, 100))],
            [.put(.groupState, key: [1, 1], value: value(3, 17_000)), .put(.outbox, key: [1], value: value(4, 200))],
            // More than a store of files keeps in one of them.
            keys(112, 7).map { .put(.history, key: $0, value: value($0[2], 400)) },
            [
                .put(.groupState, key: [1, 1], value: value(5, 17_000)), .delete(.outbox, key: [1]),
                .put(.account, key: [1], value: value(6, 300)),
            ],
            keys(20, 8).map { .put(.history, key: $0, value: value($0[2], 400)) } + [.put(.seen, key: [1], value: [])],
            keys(112, 7).dropFirst(20).dropLast(60).map { .delete(.history, key: $0) },
            [.deletePrefix(.history, prefix: [7]), .put(.group, key: [2], value: value(7, 50))],
            [.put(.account, key: [1], value: value(8, 300)), .delete(.history, key: [8, 0, 9])],
            [.deletePrefix(.groupState, prefix: []), .put(.group, key: [1], value: value(9, 100))],
        ]
    }

    /// The content before the change sets, and after each of them.
    private static let states: [Content] = {
        var model = Model()
        return [Content()]
            + session.map { changes in
                model.apply(changes)
                return model.content
            }
    }()

    /// Runs the session once for every call that changes the disk, with the disk dead from that call on. The store,
    /// opened afterwards, has the state before or after a change set, and the state after it if the store reported
    /// success.
    func nothingBetween(_ folder: CheckFolder, losingPower: Bool) throws {
        let session = Self.session
        var call: UInt64 = 1
        // Everything that is not safe is lost; for some of the calls, again with a part of it on disk.
        var seed: UInt64 = 0
        while true {
            let place = try folder.subfolder()
            let scratch = try folder.subfolder()
            var done = 0
            waxwing_faults_arm(WAXWING_FAULT_CRASH, call, EIO, scratch)
            do {
                let store = try open(place)
                for changes in session {
                    try store.apply(changes)
                    done += 1
                }
            } catch {
                // The disk is dead; what the store says about it does not matter.
            }
            let calls = waxwing_faults_disarm()
            if losingPower {
                try expect(waxwing_faults_lose_some_unsynced(seed), "the fault could be made, at call \(call)")
            } else {
                waxwing_faults_forget()
            }
            let store: any Store
            do {
                store = try open(place)
            } catch {
                throw Failure(description: "After a crash at call \(call) the store does not open: \(error)")
            }
            let content = try content(of: store)
            let found = Self.states.indices.filter { Self.states[$0] == content }
            try expect(
                found.contains(done) || (calls >= call && found.contains(done + 1)),
                "after a crash at call \(call), with \(done) change sets committed, the store has the state after \(found)"
            )
            try expect(
                found.contains(Int(try store.revision())),
                "the revision is that of the content, after a crash at call \(call)")
            // It continues from there.
            for changes in session[Int(try store.revision())...] { try store.apply(changes) }
            try expect(
                try self.content(of: store) == Self.states.last, "the store goes on after a crash at call \(call)")
            if calls < call { return try expectFaults(calls) }
            if losingPower, seed == 0, call % 3 == 0 {
                seed = call
            } else {
                seed = 0
                call += 1
            }
        }
    }

    /// Runs the session once for every call that changes the disk, with only that call failing because the disk is
    /// full. The change set fails or succeeds as a whole; and the same store, still open, goes on.
    func aFailureAnywhereChangesNothing(_ folder: CheckFolder) throws {
        let session = Self.session
        var call: UInt64 = 1
        while true {
            let place = try folder.subfolder()
            waxwing_faults_arm(WAXWING_FAULT_ONCE, call, ENOSPC, try folder.subfolder())
            defer {
                waxwing_faults_disarm()
                waxwing_faults_forget()
            }
            let store: any Store
            do { store = try open(place) } catch { store = try open(place) }
            for (number, changes) in session.enumerated() {
                do throws(StoreError) {
                    try store.apply(changes)
                } catch {
                    try expect(
                        [.full, .failed].contains(error.code),
                        "a full disk at call \(call) is told as one, not: \(error)")
                    let content = try content(of: store)
                    if try store.revision() == number {
                        try expect(
                            content == Self.states[number], "a change set that failed at call \(call) changed nothing")
                        try store.apply(changes)
                    } else {
                        // It failed when it was already done: the revision says so.
                        try expect(content == Self.states[number + 1], "a change set is there whole, at call \(call)")
                    }
                }
                try expect(
                    try self.content(of: store) == Self.states[number + 1],
                    "the store goes on after a failure at call \(call)")
            }
            let calls = waxwing_faults_disarm()
            try expect(
                try content(of: open(place)) == Self.states.last,
                "it is there after reopening, with a failure at call \(call)")
            if calls < call { return try expectFaults(calls) }
            call += 1
        }
    }

    /// A durable change set takes at least a write and an fsync.
    private func expectFaults(_ calls: UInt64) throws {
        try expect(calls >= 2 * Self.session.count, "the store's calls can be made to fail: only \(calls) were seen")
    }

    private func content(of store: any Store) throws -> Content {
        var content = Content()
        for table in Table.allCases {
            let records = try store.all(table)
            if !records.isEmpty { content.tables[table] = records }
        }
        return content
    }
}

/// The records of all tables that have any.
private struct Content: Equatable {
    var tables: [Table: [Record]] = [:]

    /// Compares bytes as memory: thousands of contents are compared, and a debug build is slow with single bytes.
    static func == (left: Self, right: Self) -> Bool {
        left.tables.count == right.tables.count
            && left.tables.allSatisfy { table, records in
                let others = right.tables[table] ?? []
                return records.count == others.count
                    && zip(records, others).allSatisfy {
                        Data($0.key) == Data($1.key) && Data($0.value) == Data($1.value)
                    }
            }
    }
}

/// What a store should hold.
private struct Model {
    private var tables: [Table: [[UInt8]: [UInt8]]] = [:]

    mutating func apply(_ changes: [ChangeSet.Change]) {
        for change in changes {
            switch change {
            case .put(let table, let key, let value): tables[table, default: [:]][key] = value
            case .delete(let table, let key): tables[table]?[key] = nil
            case .deletePrefix(let table, let prefix):
                tables[table] = tables[table]?.filter { !$0.key.starts(with: prefix) }
            }
        }
    }

    var content: Content {
        Content(
            tables: tables.filter { !$0.value.isEmpty }.mapValues { records in
                records.map { Record(key: $0.key, value: $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            })
    }
}
