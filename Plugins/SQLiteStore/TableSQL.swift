import class GRDB.Database
import WaxwingCore

/// The SQL statements of one table, built once.
struct TableSQL: Sendable {
    let create: String
    let value: String
    let insert: String
    let update: String
    let delete: String
    let deleteFrom: String
    let deleteRange: String
    private let pages: [String]

    /// The statements of `table`.
    static func of(_ table: Table) -> TableSQL { all[Int(table.rawValue)] }

    /// Parameters: 1 the lower bound, 2 the limit, 3 the upper bound if there is one.
    func page(bounded: Bool, descending: Bool) -> String { pages[(bounded ? 1 : 0) + (descending ? 2 : 0)] }

    /// Indexed by raw value.
    private static let all: [TableSQL] = {
        let last = Table.allCases.map(\.rawValue).max() ?? 0
        return (0...last).map { TableSQL(name: Table(rawValue: $0).map(Schema.name) ?? "") }
    }()

    private init(name: String) {
        create = """
            CREATE TABLE \(name) (
                key BLOB NOT NULL PRIMARY KEY CHECK (typeof(key) = 'blob'),
                value BLOB NOT NULL CHECK (typeof(value) = 'blob')
            ) STRICT, WITHOUT ROWID
            """
        value = "SELECT value FROM \(name) WHERE key = ?1"
        insert = "INSERT INTO \(name) (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
        update = "UPDATE \(name) SET value = ?2 WHERE key = ?1"
        delete = "DELETE FROM \(name) WHERE key = ?1"
        deleteFrom = "DELETE FROM \(name) WHERE key >= ?1"
        deleteRange = "DELETE FROM \(name) WHERE key >= ?1 AND key < ?2"
        pages = ["ASC", "DESC"].flatMap { order in
            ["", " AND key < ?3"].map { bound in
                "SELECT key, value FROM \(name) WHERE key >= ?1\(bound) ORDER BY key \(order) LIMIT ?2"
            }
        }
    }
}

extension ChangeSet.Change {
    /// Applies one change.
    ///
    /// - Returns: whether something that was stored is gone, so that the old content has to be erased.
    func apply(to db: Database) throws -> Bool {
        switch self {
        case .put(let table, let key, let value):
            let sql = TableSQL.of(table)
            if try db.changed(sql.insert, key, value) { return false }
            return try db.changed(sql.update, key, value)
        case .delete(let table, let key):
            return try db.changed(TableSQL.of(table).delete, key)
        case .deletePrefix(let table, let prefix):
            if let end = Record.key(afterPrefix: prefix) {
                return try db.changed(TableSQL.of(table).deleteRange, prefix, end)
            }
            return try db.changed(TableSQL.of(table).deleteFrom, prefix)
        }
    }
}
