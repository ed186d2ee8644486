import ConclaveProtocol
import WaxwingCore

/// Prints rows of histories, in words or as JSON.
struct HistoryPrinter: Sendable {
    private let reader: AccountReader
    private let names: Names
    private let json: Bool
    /// Whether each line begins with its group's name.
    private let namesGroup: Bool
    let news = MemberNews()
    private let times = LogTimes()
    private let me: ID?

    init(_ reader: AccountReader, json: Bool, namesGroup: Bool = false) throws {
        self.reader = reader
        me = try reader.account()?.userID
        self.json = json
        self.namesGroup = namesGroup
        names = Names(reader)
    }

    /// - Throws: also ``OutputGone``.
    func print(_ row: HistoryRow, in group: GroupRecord) throws {
        let waiting = try row.outboxOrder.flatMap { try reader.outboxRow(group.id, order: $0) }
        let isBackInTime = try times.runBack(at: row, in: group.id, notOf: me, reader)
        if json {
            let view = try HistoryView(
                row, group: group.shownName, id: group.shownID, waiting: waiting, isBackInTime: isBackInTime, names)
            Console.print(try JSON.line(view))
        } else {
            let prefix = namesGroup ? group.shownName + ": " : ""
            Console.print(
                prefix + (try HistoryLine(names: names).text(row, waiting: waiting, isBackInTime: isBackInTime)))
        }
        try Console.checkOutput()
        news.printed(row, in: group.id)
    }
}
