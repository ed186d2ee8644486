import WaxwingCore

/// A file named by another file, with its size and checksum.
struct FileReference: Hashable, Sendable {
    let name: String
    /// In bytes.
    let size: Int
    /// SHA-256 of the content.
    let digest: [UInt8]
}

/// A file of rows, and where in its table they begin.
struct RowsReference: Hashable, Sendable {
    let file: FileReference
    /// The key of the first record in it.
    let first: [UInt8]
}

/// The three kinds of files: rows, indexes, and the manifest. All of them are lines of text.
enum FileFormat {
    static let version = "1"

    // MARK: Rows

    static func rows(_ records: [Record], of table: Table) -> [UInt8] {
        var text = head("rows", Name.name(of: table))
        text.reserveCapacity(records.reduce(64) { $0 + 2 * ($1.key.count + $1.value.count) + 4 })
        for record in records { append(record, to: &text) }
        return text
    }

    static func rows(in text: [UInt8], of table: Table) throws(FormatError) -> [Record] {
        var lines = Lines(text)
        try lines.expectHead("rows", Name.name(of: table))
        var records: [Record] = []
        while let line = lines.next() { records.append(try record(line)) }
        return records
    }

    static func append(_ record: Record, to text: inout [UInt8]) {
        ValueText.appendHex(record.key, to: &text)
        text.append(UInt8(ascii: " "))
        ValueText.append(record.value, to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    static func record(_ line: ArraySlice<UInt8>) throws(FormatError) -> Record {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), let key = ValueText.bytes(ofHex: line[..<space]),
            let value = ValueText.value(of: line[(space + 1)...])
        else { throw FormatError.damaged }
        return Record(key: key, value: value)
    }

    // MARK: Indexes

    static func index(_ references: [RowsReference], of table: Table) -> [UInt8] {
        var text = head("index", Name.name(of: table))
        for reference in references {
            append(reference.file, to: &text)
            text.append(UInt8(ascii: " "))
            ValueText.appendHex(reference.first, to: &text)
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    static func index(in text: [UInt8], of table: Table) throws(FormatError) -> [RowsReference] {
        var lines = Lines(text)
        try lines.expectHead("index", Name.name(of: table))
        var references: [RowsReference] = []
        while let line = lines.next() {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard words.count == 4, let first = ValueText.bytes(ofHex: words[3]) else { throw FormatError.damaged }
            references.append(RowsReference(file: try file(words[0..<3]), first: first))
        }
        return references
    }

    static func append(_ file: FileReference, to text: inout [UInt8]) {
        text.append(contentsOf: "\(file.name) \(file.size) ".utf8)
        ValueText.appendHex(file.digest, to: &text)
    }

    static func file(_ words: ArraySlice<ArraySlice<UInt8>>) throws(FormatError) -> FileReference {
        guard words.count == 3, let name = words.first.map({ String(decoding: $0, as: UTF8.self) }),
            Name.number(in: name) != nil,
            let size = Int(String(decoding: words[words.startIndex + 1], as: UTF8.self)), size >= 0,
            let digest = ValueText.bytes(ofHex: words[words.startIndex + 2]), digest.count == 32
        else { throw FormatError.damaged }
        return FileReference(name: name, size: size, digest: digest)
    }

    // MARK: Heads

    /// The first line of every file.
    static func head(_ kind: String, _ table: String? = nil) -> [UInt8] {
        Array("waxwing \(kind) \(version)\(table.map { " \($0)" } ?? "")\n".utf8)
    }
}

/// What is wrong with a file.
enum FormatError: Error {
    case damaged
    case newer
}

/// The lines of a text; each ends with a newline.
struct Lines {
    private var rest: ArraySlice<UInt8>

    init(_ text: [UInt8]) { rest = text[...] }
    init(_ text: ArraySlice<UInt8>) { rest = text }

    /// The next line without its newline; nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    mutating func expectHead(_ kind: String, _ table: String? = nil) throws(FormatError) {
        let words = String(decoding: next() ?? [], as: UTF8.self).split(separator: " ")
        guard words.count >= 3, words[0] == "waxwing", words[1] == kind, let version = Int(words[2]) else {
            throw FormatError.damaged
        }
        if version > 1 { throw FormatError.newer }
        guard words.dropFirst(3).map(String.init) == (table.map { [$0] } ?? []) else { throw FormatError.damaged }
    }
}
