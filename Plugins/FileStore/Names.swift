import WaxwingCore

/// The names of files in a store's folder. Part of the stored format.
enum Name {
    static let manifest = "manifest"
    /// The manifest of a commit in progress.
    static let nextManifest = "manifest.next"
    /// The file that writers lock. It is one byte long while one of them is at work, else empty: see
    /// ``Folder/mark(_:)``.
    static let lock = "lock"

    /// Holds records of one table.
    static func rows(_ table: Table, _ number: UInt64) -> String { "\(name(of: table))-\(number).rows" }
    /// Lists the files that hold a table's records.
    static func index(_ table: Table, _ number: UInt64) -> String { "\(name(of: table))-\(number).index" }

    /// The number in the name of a file of rows or an index; nil for any other name.
    static func number(in name: String) -> UInt64? { parts(of: name)?.number }

    /// The table and the number in the name of a file of rows or an index; nil for any other name.
    static func parts(of name: String) -> (table: Table, number: UInt64)? {
        guard let dash = name.lastIndex(of: "-"), let dot = name.lastIndex(of: "."), dash < dot,
            name[dot...] == ".rows" || name[dot...] == ".index", let table = table(named: name[..<dash])
        else { return nil }
        let digits = name[name.index(after: dash)..<dot]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt64(digits) else { return nil }
        return (table, number)
    }

    static func table(named name: some StringProtocol) -> Table? { Table.allCases.first { Self.name(of: $0) == name } }

    static func name(of table: Table) -> String {
        switch table {
        case .account: "account"
        case .user: "user"
        case .keyPackage: "key_package"
        case .group: "group"
        case .groupState: "group_state"
        case .staged: "staged"
        case .outbox: "outbox"
        case .inbox: "inbox"
        case .history: "history"
        case .seen: "seen"
        case .invite: "invite"
        case .membership: "membership"
        }
    }
}
