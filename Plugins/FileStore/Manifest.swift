import OpenSSLPrimitives
import WaxwingCore

/// What a store holds at one revision: the records that changed recently, and where the others are.
///
/// A key is either among the recent records or in a file of rows, never in both. So whatever is overwritten or deleted
/// is gone from the folder together with the files that held it.
struct Manifest: Sendable {
    var revision: UInt64 = 0
    /// No file has a name with this number or a higher one.
    var nextNumber: UInt64 = 1
    /// By table; none if a table has no files.
    var indexes: [Table: FileReference] = [:]
    /// By table, in ascending key order.
    var recent: [Table: [Record]] = [:]
    /// Files of the revision before that are no longer needed.
    var retired: [String] = []

    var encoded: [UInt8] {
        var text = FileFormat.head("store")
        text.append(contentsOf: "revision \(revision)\nnext \(nextNumber)\n".utf8)
        for name in retired { text.append(contentsOf: "old \(name)\n".utf8) }
        for table in Table.allCases {
            guard let index = indexes[table] else { continue }
            text.append(contentsOf: "index ".utf8)
            FileFormat.append(index, to: &text)
            text.append(UInt8(ascii: "\n"))
        }
        for table in Table.allCases {
            guard let records = recent[table], !records.isEmpty else { continue }
            text.append(contentsOf: "recent \(Name.name(of: table)) \(records.count)\n".utf8)
            for record in records { FileFormat.append(record, to: &text) }
        }
        let sum = SHA256.of(text)
        text.append(contentsOf: "sum ".utf8)
        ValueText.appendHex(sum, to: &text)
        text.append(UInt8(ascii: "\n"))
        return text
    }

    init() {}

    init(decoding text: [UInt8]) throws(FormatError) {
        let sumLength = "sum ".utf8.count + 64 + 1
        var whole = Lines(text)
        try whole.expectHead("store")
        guard text.count > sumLength else { throw FormatError.damaged }
        let body = text[..<(text.count - sumLength)]
        var end = Lines(text[body.endIndex...])
        guard let last = end.next(), last.starts(with: "sum ".utf8),
            ValueText.bytes(ofHex: last.dropFirst(4)) == SHA256.of(Array(body))
        else { throw FormatError.damaged }
        var lines = Lines(body)
        _ = lines.next()
        while let line = lines.next() {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            switch String(decoding: words[0], as: UTF8.self) {
            case "revision" where words.count == 2: revision = try Self.number(words[1])
            case "next" where words.count == 2: nextNumber = try Self.number(words[1])
            case "old" where words.count == 2:
                let name = String(decoding: words[1], as: UTF8.self)
                guard Name.number(in: name) != nil else { throw FormatError.damaged }
                retired.append(name)
            case "index" where words.count == 4:
                let file = try FileFormat.file(words[1..<4])
                guard let dash = file.name.lastIndex(of: "-"), let table = Name.table(named: file.name[..<dash]) else {
                    throw FormatError.damaged
                }
                indexes[table] = file
            case "recent" where words.count == 3:
                guard let table = Name.table(named: String(decoding: words[1], as: UTF8.self)) else {
                    throw FormatError.damaged
                }
                var records: [Record] = []
                for _ in 0..<(try Self.number(words[2])) {
                    guard let line = lines.next() else { throw FormatError.damaged }
                    records.append(try FileFormat.record(line))
                }
                recent[table] = records
            default: throw FormatError.damaged
            }
        }
    }

    private static func number(_ word: ArraySlice<UInt8>) throws(FormatError) -> UInt64 {
        guard let number = UInt64(String(decoding: word, as: UTF8.self)) else { throw FormatError.damaged }
        return number
    }
}

extension [Record] {
    /// The position of a key among records in ascending order of keys, or where it would be.
    func position(of key: [UInt8]) -> (index: Int, isThere: Bool) {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].key.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        return (low, low < count && self[low].key == key)
    }

    subscript(key key: [UInt8]) -> [UInt8]? {
        let (index, isThere) = position(of: key)
        return isThere ? self[index].value : nil
    }

    mutating func put(_ record: Record) {
        let (index, isThere) = position(of: record.key)
        if isThere { self[index] = record } else { insert(record, at: index) }
    }

    /// - Returns: whether it was there.
    @discardableResult mutating func delete(_ key: [UInt8]) -> Bool {
        let (index, isThere) = position(of: key)
        if isThere { remove(at: index) }
        return isThere
    }

    /// The records with keys from `lower` up to, not including, `upper`.
    func range(from lower: [UInt8], below upper: [UInt8]?) -> Range<Int> {
        let start = position(of: lower).index
        let end = upper.map { position(of: $0).index } ?? count
        return start..<Swift.max(start, end)
    }
}

extension Record {
    /// Its approximate size in a file, in bytes.
    var size: Int { 2 * key.count + value.count + value.count / 2 + 4 }
}
