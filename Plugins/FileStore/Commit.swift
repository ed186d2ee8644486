import OpenSSLPrimitives
import WaxwingCore

/// A change set on its way into the folder: the files it writes, and the manifest that will name them.
struct Commit {
    private(set) var manifest: Manifest
    private var reader: FileReader
    /// New content of files, by their position in the table's index. A table without files has one position, 0.
    private var edited: [Table: [Int: [Record]]] = [:]
    /// In the order they are to be written.
    private(set) var files: [(name: String, bytes: [UInt8])] = []

    init(on manifest: Manifest, reader: FileReader) {
        self.manifest = manifest
        self.reader = reader
    }

    /// Works out the new files and the new manifest.
    mutating func apply(_ changes: ChangeSet) throws(FileReader.Outcome) -> (manifest: Manifest, reader: FileReader) {
        manifest.retired = []
        for change in changes.changes {
            switch change {
            case .put(let table, let key, let value): try put(Record(key: key, value: value), in: table)
            case .delete(let table, let key): try delete(key, in: table)
            case .deletePrefix(let table, let prefix): try delete(prefix: prefix, in: table)
            }
        }
        try moveOut()
        for table in Table.allCases where edited[table] != nil { try rewrite(table) }
        manifest.revision += 1
        return (manifest, reader)
    }

    // MARK: Changes

    private mutating func put(_ record: Record, in table: Table) throws(FileReader.Outcome) {
        if record.size > FileStoreLimits.recentRecordBytes {
            manifest.recent[table]?.delete(record.key)
            try edit(table, at: place(of: record.key, in: table)) { $0.put(record) }
        } else {
            manifest.recent[table, default: []].put(record)
            try deleteFromFiles(record.key, in: table)
        }
    }

    private mutating func delete(_ key: [UInt8], in table: Table) throws(FileReader.Outcome) {
        // Recent records are in no file.
        if manifest.recent[table]?.delete(key) ?? false { return }
        try deleteFromFiles(key, in: table)
    }

    private mutating func deleteFromFiles(_ key: [UInt8], in table: Table) throws(FileReader.Outcome) {
        let place = try place(of: key, in: table)
        if try content(table, at: place).position(of: key).isThere {
            try edit(table, at: place) { $0.delete(key) }
        }
    }

    private mutating func delete(prefix: [UInt8], in table: Table) throws(FileReader.Outcome) {
        let end = Record.key(afterPrefix: prefix)
        if let recent = manifest.recent[table] {
            manifest.recent[table]?.removeSubrange(recent.range(from: prefix, below: end))
        }
        let references = try reader.index(table, in: manifest)
        for place in 0..<max(1, references.count) {
            if references.indices.contains(place), edited[table]?[place] == nil {
                let next = place + 1 < references.count ? references[place + 1].first : nil
                if let next, !prefix.lexicographicallyPrecedes(next) { continue }
                if let end, !references[place].first.lexicographicallyPrecedes(end) { break }
                let endsWithin: Bool
                if let end {
                    endsWithin = next.map { !end.lexicographicallyPrecedes($0) } ?? false
                } else {
                    endsWithin = true
                }
                if endsWithin, !references[place].first.lexicographicallyPrecedes(prefix) {
                    edited[table, default: [:]][place] = []
                    continue
                }
            }
            let records = try content(table, at: place)
            let range = records.range(from: prefix, below: end)
            if !range.isEmpty { try edit(table, at: place) { $0.removeSubrange(range) } }
        }
    }

    // MARK: Files

    /// The position of the file that holds a key, or would hold it.
    private mutating func place(of key: [UInt8], in table: Table) throws(FileReader.Outcome) -> Int {
        max(0, try reader.index(table, in: manifest).places(before: key) - 1)
    }

    private mutating func content(_ table: Table, at place: Int) throws(FileReader.Outcome) -> [Record] {
        if let content = edited[table]?[place] { return content }
        let references = try reader.index(table, in: manifest)
        return references.indices.contains(place) ? try reader.rows(references[place], of: table) : []
    }

    private mutating func edit(
        _ table: Table, at place: Int, _ change: (inout [Record]) -> Void
    ) throws(FileReader.Outcome) {
        var records = try content(table, at: place)
        // The only copy, so that the change need not make another.
        edited[table]?[place] = nil
        change(&records)
        edited[table, default: [:]][place] = records
    }

    /// Moves recent records into files if there are too many of them, the largest shares first.
    private mutating func moveOut() throws(FileReader.Outcome) {
        var left = manifest.recent.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.size } }
        guard left > FileStoreLimits.recentBytes else { return }
        var shares: [(table: Table, place: Int, size: Int)] = []
        for table in Table.allCases {
            for record in manifest.recent[table] ?? [] {
                let place = try place(of: record.key, in: table)
                if let last = shares.last, last.table == table, last.place == place {
                    shares[shares.count - 1].size += record.size
                } else {
                    shares.append((table, place, record.size))
                }
            }
        }
        shares.sort { ($0.size, $1.table.rawValue, $1.place) > ($1.size, $0.table.rawValue, $0.place) }
        for share in shares {
            if left <= FileStoreLimits.recentBytes / 2 { break }
            let references = try reader.index(share.table, in: manifest)
            let lower = share.place == 0 ? [] : references[share.place].first
            let upper = share.place + 1 < references.count ? references[share.place + 1].first : nil
            guard let range = manifest.recent[share.table]?.range(from: lower, below: upper),
                let moved = manifest.recent[share.table]?[range]
            else { continue }
            try edit(share.table, at: share.place) { rows in
                // Both are in order, and no key is in both.
                for record in moved { rows.put(record) }
            }
            manifest.recent[share.table]?.removeSubrange(range)
            left -= share.size
        }
    }

    /// Writes the edited content of a table into new files, next to the files that stay.
    private mutating func rewrite(_ table: Table) throws(FileReader.Outcome) {
        let references = try reader.index(table, in: manifest)
        let edited = edited[table] ?? [:]
        var result: [RowsReference] = []
        var waiting: [Record] = []
        var waitingBytes = 0
        for place in 0..<max(1, references.count) {
            if let content = edited[place] {
                if waiting.isEmpty, !content.isEmpty, content.size < FileStoreLimits.rowsBytesMin,
                    let last = result.last, last.isSmall
                {
                    // Too little for a file of its own.
                    waiting = try reader.rows(last, of: table)
                    retire(result.removeLast().file)
                }
                waiting += content
                if references.indices.contains(place) { retire(references[place].file) }
            } else if !waiting.isEmpty, waitingBytes < FileStoreLimits.rowsBytesMin, references[place].isSmall {
                waiting += try reader.rows(references[place], of: table)
                retire(references[place].file)
            } else {
                result += write(waiting, of: table)
                waiting = []
                result.append(references[place])
            }
            waitingBytes = waiting.size
        }
        result += write(waiting, of: table)
        if let old = manifest.indexes.removeValue(forKey: table) { retire(old) }
        if !result.isEmpty {
            let file = add(Name.index(table, takeNumber()), FileFormat.index(result, of: table))
            manifest.indexes[table] = file
            reader.keep(result, as: file)
        }
    }

    /// Puts records into as many files as they need.
    private mutating func write(_ records: [Record], of table: Table) -> [RowsReference] {
        var references: [RowsReference] = []
        for piece in records.pieces {
            let file = add(Name.rows(table, takeNumber()), FileFormat.rows(Array(piece), of: table))
            reader.keep(Array(piece), as: file)
            references.append(RowsReference(file: file, first: piece[piece.startIndex].key))
        }
        return references
    }

    private mutating func takeNumber() -> UInt64 {
        defer { manifest.nextNumber += 1 }
        return manifest.nextNumber
    }

    private mutating func add(_ name: String, _ bytes: [UInt8]) -> FileReference {
        files.append((name, bytes))
        return FileReference(name: name, size: bytes.count, digest: SHA256.of(bytes))
    }

    private mutating func retire(_ file: FileReference) {
        manifest.retired.append(file.name)
        reader.forget(file.name)
    }
}

extension [RowsReference] {
    /// How many files begin at or before a key.
    func places(before key: [UInt8]) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if key.lexicographicallyPrecedes(self[middle].first) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension RowsReference {
    /// Whether there is room for more.
    fileprivate var isSmall: Bool { file.size < FileStoreLimits.rowsBytesMax / 2 }
}

extension [Record] {
    fileprivate var size: Int { reduce(0) { $0 + $1.size } }

    /// Cuts the records so that no piece is too large, except for a record that is too large by itself.
    fileprivate var pieces: [ArraySlice<Record>] {
        if isEmpty { return [] }
        if size <= FileStoreLimits.rowsBytesMax { return [self[...]] }
        var pieces: [ArraySlice<Record>] = []
        var start = 0
        var bytes = 0
        for index in indices {
            let size = self[index].size
            if index > start, bytes + size > FileStoreLimits.rowsBytesMax / 2 {
                pieces.append(self[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += size
        }
        pieces.append(self[start...])
        return pieces
    }
}
