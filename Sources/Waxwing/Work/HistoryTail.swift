import ConclaveProtocol
import WaxwingCore

/// Goes through a group's history and gives each row once, including rows that are placed before one already given: the
/// answer to a message of ours may come before the rows ahead of it are fetched.
package struct HistoryTail {
    /// How many given rows are remembered. No row is placed further back than the requests in progress reach.
    private static let memory = 1_000

    private let reader: AccountReader
    private let group: ID
    /// Everything up to here has been given.
    private var anchor: AccountReader.HistoryPosition?
    private var given: [AccountReader.HistoryPosition] = []

    package init(_ reader: AccountReader, _ group: ID) {
        self.reader = reader
        self.group = group
    }

    /// Marks everything up to a place as given.
    package mutating func start(at position: AccountReader.HistoryPosition) { anchor = position }

    /// The last rows, at most `count`; earlier ones count as given.
    package mutating func last(_ count: Int) throws -> [HistoryRow] {
        let page = try reader.lastHistory(group, limit: max(count, 1) + Self.memory)
        let shown = count == 0 ? [] : page.suffix(count)
        anchor = page.count > Self.memory ? page.first?.position : nil
        given = page.map(\.position)
        return shown.map(\.row)
    }

    /// Calls `body` for every row that has not been given yet, in order.
    package mutating func forEachNew(_ body: (HistoryRow) throws -> Void) throws {
        let known = Set(given)
        try reader.forEachRow(of: group, after: anchor) { position, row in
            if known.contains(position) { return }
            try body(row)
            given.append(position)
        }
        if given.count > 2 * Self.memory {
            given.sort()
            anchor = given[given.count - Self.memory - 1]
            given.removeFirst(given.count - Self.memory)
        }
    }
}

extension AccountReader {
    private static let pageRows = 200

    /// Goes through a group's history in order, page by page.
    ///
    /// - Parameter wantsMore: asked before each page.
    func forEachRow(
        of group: ID, after position: HistoryPosition?, while wantsMore: () -> Bool = { true },
        _ body: (HistoryPosition, HistoryRow) throws -> Void
    ) throws {
        var place = position
        while wantsMore() {
            let page = try history(group, after: place, limit: Self.pageRows)
            for (position, row) in page { try body(position, row) }
            guard page.count == Self.pageRows, let end = page.last?.position else { break }
            place = end
        }
    }
}
