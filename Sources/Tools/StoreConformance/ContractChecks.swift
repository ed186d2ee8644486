import WaxwingCore

/// What holds while a store is open.
extension StoreConformance {
    func aFreshStoreIsEmpty(_ store: any Store) throws {
        try expect(try store.revision() == 0, "the revision of an empty store is 0")
        for table in Table.allCases {
            try expect(try store.value(table, []) == nil, "\(table) is empty")
            try expect(try store.all(table).isEmpty, "\(table) is empty")
        }
    }

    func putGetDelete(_ store: any Store) throws {
        try store.apply([.put(.outbox, key: [1], value: [10])])
        try expect(try store.value(.outbox, [1]) == [10], "what was put is there")
        try store.apply([.put(.outbox, key: [1], value: [11, 12])])
        try expect(try store.value(.outbox, [1]) == [11, 12], "a second put replaces the first")
        try store.apply([.delete(.outbox, key: [1])])
        try expect(try store.value(.outbox, [1]) == nil, "what was deleted is not there")
        try store.apply([.delete(.outbox, key: [1]), .deletePrefix(.outbox, prefix: [7])])
        try expect(try store.all(.outbox).isEmpty, "deleting nothing is no error")
    }

    func tablesAreSeparate(_ store: any Store) throws {
        try store.apply(Table.allCases.map { .put($0, key: [1, 2], value: [$0.rawValue]) })
        for table in Table.allCases {
            try expect(try store.value(table, [1, 2]) == [table.rawValue], "\(table) keeps its own records")
        }
        try store.apply([.deletePrefix(.group, prefix: [])])
        for table in Table.allCases {
            try expect(try store.all(table).isEmpty == (table == .group), "only one table was emptied, not \(table)")
        }
    }

    func keysAndValuesMayBeEmptyOrLarge(_ store: any Store) throws {
        let large = [UInt8](repeating: 7, count: 3_000_000) + [1, 2, 3]
        let longKey = [UInt8](repeating: 0xff, count: 600)
        try store.apply([
            .put(.groupState, key: [], value: []), .put(.groupState, key: [0], value: []),
            .put(.groupState, key: longKey, value: large),
        ])
        try expect(try store.value(.groupState, []) == [], "an empty value under an empty key is not nil")
        try expect(try store.value(.groupState, [0]) == [], "an empty value is not nil")
        try expect(try store.value(.groupState, longKey) == large, "a value of megabytes comes back whole")
        try expect(try store.all(.groupState).map(\.key) == [[], [0], longKey], "the empty key comes first")
    }

    func pagesAreInKeyOrder(_ store: any Store) throws {
        let keys: [[UInt8]] = [[0], [0, 0], [0, 1], [1], [0x7f], [0x80], [0xff], [0xff, 0], [0xff, 0xff]]
        try store.apply(keys.reversed().map { .put(.history, key: $0, value: $0 + [1]) })
        func page(_ lower: [UInt8], _ upper: [UInt8]?, _ limit: Int, _ descending: Bool) throws -> [[UInt8]] {
            let records = try store.page(.history, from: lower, below: upper, limit: limit, descending: descending)
            try expect(records.allSatisfy { $0.value == $0.key + [1] }, "each key comes with its own value")
            var lent: [Record] = []
            try store.forEach(.history, from: lower, below: upper) {
                lent.append(Record(key: Array($0), value: Array($1)))
                return lent.count < limit
            }
            let ascending = try store.page(.history, from: lower, below: upper, limit: limit, descending: false)
            try expect(lent == ascending, "what is lent is what an ascending page gives")
            return records.map(\.key)
        }
        try expect(try page([], nil, 100, false) == keys, "keys are ordered as unsigned bytes")
        try expect(try page([], nil, 100, true) == keys.reversed(), "descending is the reverse")
        try expect(try page([0, 1], [0x80], 100, false) == [[0, 1], [1], [0x7f]], "the upper bound is left out")
        try expect(try page([0, 1], [0x80], 2, true) == [[0x7f], [1]], "descending begins at the upper bound")
        try expect(try page([0xff], nil, 2, false) == [[0xff], [0xff, 0]], "a limit cuts the page")
        try expect(try page([2], [2], 5, false).isEmpty && page([3], [2], 5, true).isEmpty, "an empty range is empty")
    }

    func prefixesEndWhereTheyEnd(_ store: any Store) throws {
        let keys: [[UInt8]] = [
            [1], [1, 0], [1, 0xff], [1, 0xff, 0xff], [2], [0xff], [0xff, 0xff], [0xff, 0xff, 0],
        ]
        func left(_ prefix: [UInt8]) throws -> [[UInt8]] {
            try store.apply([.deletePrefix(.seen, prefix: [])] + keys.map { .put(.seen, key: $0, value: [1]) })
            try store.apply([.deletePrefix(.seen, prefix: prefix)])
            return try store.all(.seen).map(\.key)
        }
        for prefix in [[], [1], [1, 0xff], [2], [3], [0xff], [0xff, 0xff], [0xff, 0xff, 0xff]] as [[UInt8]] {
            try expect(
                try left(prefix) == keys.filter { !$0.starts(with: prefix) }, "prefix \(prefix) deletes its keys alone")
        }
    }

    func changesApplyInOrder(_ store: any Store) throws {
        try store.apply([
            .put(.inbox, key: [1], value: [1]), .delete(.inbox, key: [1]), .put(.inbox, key: [1], value: [2]),
            .put(.inbox, key: [1, 1], value: [3]), .deletePrefix(.inbox, prefix: [1, 1]), .delete(.inbox, key: [2]),
            .put(.inbox, key: [2], value: [4]),
        ])
        try expect(
            try store.all(.inbox) == [Record(key: [1], value: [2]), Record(key: [2], value: [4])],
            "a later change sees what an earlier one did")
    }

    func staleRevisionsAreRefused(_ store: any Store) throws {
        try store.apply([.put(.account, key: [1], value: [1])])
        for base in [0, 2, UInt64.max] {
            var changes = ChangeSet(base: base)
            changes.changes = [.put(.account, key: [1], value: [9]), .put(.account, key: [2], value: [9])]
            do throws(StoreError) {
                _ = try store.commit(changes)
                throw StoreError(.failed, "taken")
            } catch {
                try expect(
                    error.code == .staleRevision, "a change set built on revision \(base) is stale, not: \(error)")
            }
        }
        try expect(try store.all(.account) == [Record(key: [1], value: [1])], "a refused change set changes nothing")
        try expect(try store.revision() == 1, "a refused change set is not counted")
    }

    func revisionsRiseByOne(_ store: any Store) throws {
        for base in 0..<5 as Range<UInt64> {
            try expect(try store.commit(ChangeSet(base: base)) == base + 1, "commit returns the new revision")
            try expect(try store.revision() == base + 1, "the revision counts change sets, empty ones too")
        }
    }

    func randomOperationsMatchAModel(_ store: any Store, seed: UInt64) throws {
        var random = Numbers(state: seed)
        var model: [Table: [[UInt8]: [UInt8]]] = [:]
        let tables: [Table] = [.group, .outbox]
        func key() -> [UInt8] {
            (0..<random.below(5)).map { _ in [0, 1, 0x7f, 0xfe, 0xff][random.below(5)] }
        }
        // Together they hold some hundred kilobytes: enough for a store to spread them over its files.
        func value() -> [UInt8] {
            [UInt8](
                repeating: UInt8(random.below(256)), count: random.below([300, 300, 3000, 10_000][random.below(4)]))
        }
        for _ in 0..<150 {
            var changes = ChangeSet(base: try store.revision())
            for _ in 0..<random.below(12) {
                let table = tables[random.below(2)]
                switch random.below(40) {
                case 0..<28:
                    let (key, value) = (key(), value())
                    changes.changes.append(.put(table, key: key, value: value))
                    model[table, default: [:]][key] = value
                case 28..<39:
                    let key = key()
                    changes.changes.append(.delete(table, key: key))
                    model[table]?[key] = nil
                default:
                    let prefix = key()
                    changes.changes.append(.deletePrefix(table, prefix: prefix))
                    model[table] = model[table]?.filter { !$0.key.starts(with: prefix) }
                }
            }
            _ = try store.commit(changes)
            for table in tables {
                let lower = key()
                let upper = random.below(3) == 0 ? nil : key()
                let limit = 1 + random.below(6)
                let descending = random.below(2) == 0
                var keys = (model[table] ?? [:]).keys.filter { key in
                    !key.lexicographicallyPrecedes(lower) && upper.map { key.lexicographicallyPrecedes($0) } ?? true
                }
                keys.sort { $0.lexicographicallyPrecedes($1) != descending && $0 != $1 }
                let expected = keys.prefix(limit).map { Record(key: $0, value: model[table]?[$0] ?? []) }
                let page = try store.page(table, from: lower, below: upper, limit: limit, descending: descending)
                try expect(page == expected, "page \(lower)..<\(String(describing: upper)) with seed \(seed)")
            }
        }
        for table in tables {
            try expect(
                Dictionary(uniqueKeysWithValues: try store.all(table).map { ($0.key, $0.value) }) == model[table]
                    ?? [:],
                "the whole table with seed \(seed)")
        }
    }
}
