import class GRDB.Database
import WaxwingCore

/// The reads of a store, on a connection of any kind.
extension Database {
    func value(_ table: Table, _ key: [UInt8]) throws -> [UInt8]? {
        try raw(TableSQL.of(table).value) { statement in
            try statement.bind(1, key)
            return try statement.step() ? statement.blob(0) : nil
        }
    }

    func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool
    ) throws -> [Record] {
        var records: [Record] = []
        try forEach(table, from: lower, below: upper, limit: max(1, limit), descending: descending) {
            records.append(Record(key: Array($0), value: Array($1)))
            return true
        }
        return records
    }

    /// - Parameter limit: nil for no limit.
    func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int?, descending: Bool,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws {
        try raw(TableSQL.of(table).page(bounded: upper != nil, descending: descending)) { statement in
            try statement.bind(1, lower)
            // To SQLite, a negative limit means none.
            try statement.bind(2, Int64(limit ?? -1))
            if let upper { try statement.bind(3, upper) }
            while try statement.step(), body(statement.bytes(0), statement.bytes(1)) {}
        }
    }
}
