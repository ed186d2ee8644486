import ConclaveProtocol
import WaxwingCore

/// Rows of one group on their way into the files.
///
/// Three threads read them, and would otherwise be busy counting references to each other's strings and arrays. So the
/// text of the rows and the names of their senders are in one piece of memory each, and the rows refer to positions in
/// it.
final class RowBatch: Sendable {
    /// The number of batches that may wait for each of the files: enough that no thread has to be woken for every one.
    static let backlog = 8

    /// A row and the position of its sender's names.
    struct Row {
        let stored: HistoryPage.Row
        let sequence: UInt64
        let sender: Sender
    }

    /// Positions among the names.
    struct Sender {
        fileprivate let inMessages: Range<Int>
        fileprivate let inMarkdown: Range<Int>
        fileprivate let inHTML: Range<Int>
    }

    /// What rows refer to, passed along with them.
    struct Lent {
        fileprivate let words: UnsafeRawBufferPointer
        fileprivate let names: UnsafeRawBufferPointer
        let events: [SystemEvent]
        /// The people that events name.
        let people: [ID: Person]
    }

    let group: ArchiveGroup
    /// Whether the group begins with them.
    let isFirst: Bool
    private let page: HistoryPage
    /// The position of each row in the log.
    let sequences: [UInt64]
    /// For each row, the position of its sender in ``senders``.
    private let senderOf: [Int]
    private let senders: [Sender]
    private let names: [UInt8]
    private let people: [ID: Person]

    /// - Throws: ``ArchiveError`` `invalidInput` for a row that is not in the log; what `person` throws.
    init(_ page: HistoryPage, of group: ArchiveGroup, isFirst: Bool, _ person: (ID) throws -> Person) throws {
        self.page = page
        self.group = group
        self.isFirst = isFirst
        var (sequences, senderOf): ([UInt64], [Int]) = ([], [])
        sequences.reserveCapacity(page.rows.count)
        senderOf.reserveCapacity(page.rows.count)
        var (senders, names): ([Sender], [UInt8]) = ([], [])
        var numbers: [ID: Int] = [:]
        func keep(_ name: [UInt8]) -> Range<Int> {
            names += name
            return (names.count - name.count)..<names.count
        }
        for row in page.rows {
            guard let sequence = row.sequence else {
                throw ArchiveError(.invalidInput, "a row that is not in the log cannot be archived")
            }
            sequences.append(sequence)
            if let known = numbers[row.sender] {
                senderOf.append(known)
            } else {
                let person = try person(row.sender)
                numbers[row.sender] = senders.count
                senderOf.append(senders.count)
                senders.append(
                    Sender(
                        inMessages: keep(person.inMessages), inMarkdown: keep(person.inMarkdown),
                        inHTML: keep(person.inHTML)))
            }
        }
        var people: [ID: Person] = [:]
        for event in page.events {
            for user in [event.actor, event.subject] where people[user] == nil { people[user] = try person(user) }
        }
        (self.sequences, self.senderOf, self.senders, self.names, self.people) = (
            sequences, senderOf, senders, names, people
        )
    }

    /// Passes on each row in turn.
    @inline(__always)
    func forEach(_ body: (Row, Lent) throws(ArchiveError) -> Void) throws(ArchiveError) {
        try page.withBytes { words throws(ArchiveError) in
            try names.withBytes { names throws(ArchiveError) in
                let lent = Lent(words: words, names: names, events: page.events, people: people)
                for (index, row) in page.rows.enumerated() {
                    try body(Row(stored: row, sequence: sequences[index], sender: senders[senderOf[index]]), lent)
                }
            }
        }
    }
}

extension RowBatch.Lent {
    func words(_ place: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: words[place]) }
    func inMessages(_ sender: RowBatch.Sender) -> UnsafeRawBufferPointer { name(sender.inMessages) }
    func inMarkdown(_ sender: RowBatch.Sender) -> UnsafeRawBufferPointer { name(sender.inMarkdown) }
    func inHTML(_ sender: RowBatch.Sender) -> UnsafeRawBufferPointer { name(sender.inHTML) }

    private func name(_ place: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: names[place]) }
}
