import OpenSSLPrimitives
import Files
import WaxwingCore

/// Reads the files that a manifest names, and keeps some of what it read.
///
/// A file never changes once it is named, and no name is ever reused, so what is kept stays valid.
struct FileReader {
    let folder: Folder
    private var indexes: [String: [RowsReference]] = [:]
    private var rows: [String: (records: [Record], size: Int)] = [:]
    /// Names of ``rows``, the most recently used last.
    private var order: [String] = []
    private var keptBytes = 0

    init(folder: Folder) { self.folder = folder }

    /// Why a read has to start again: a file is gone, because another process has committed since.
    enum Outcome: Error {
        case gone(String)
        case failed(StoreError)
    }

    /// The files of a table, by ascending first key.
    mutating func index(_ table: Table, in manifest: Manifest) throws(Outcome) -> [RowsReference] {
        guard let file = manifest.indexes[table] else { return [] }
        if let known = indexes[file.name] { return known }
        let references = try read(file) { (text) throws(FormatError) in try FileFormat.index(in: text, of: table) }
        indexes = indexes.filter { name, _ in manifest.indexes.values.contains { $0.name == name } }
        indexes[file.name] = references
        return references
    }

    /// The records of one file.
    mutating func rows(_ reference: RowsReference, of table: Table) throws(Outcome) -> [Record] {
        let name = reference.file.name
        if let known = rows[name] {
            if order.last != name, let index = order.lastIndex(of: name) {
                order.remove(at: index)
                order.append(name)
            }
            return known.records
        }
        let records = try read(reference.file) { (text) throws(FormatError) in
            try FileFormat.rows(in: text, of: table)
        }
        keep(records, as: reference.file)
        return records
    }

    /// Keeps what was just written.
    mutating func keep(_ records: [Record], as file: FileReference) {
        rows[file.name] = (records, file.size)
        order.append(file.name)
        keptBytes += file.size
        while keptBytes > FileStoreLimits.cacheBytes, order.count > 1 { forget(order[0]) }
    }

    mutating func keep(_ references: [RowsReference], as file: FileReference) { indexes[file.name] = references }

    /// Drops a file that is no longer needed.
    mutating func forget(_ name: String) {
        indexes[name] = nil
        guard let known = rows.removeValue(forKey: name) else { return }
        order.removeAll { $0 == name }
        keptBytes -= known.size
    }

    private func read<Content>(
        _ file: FileReference, _ decode: ([UInt8]) throws(FormatError) -> Content
    ) throws(Outcome) -> Content {
        let opened: File?
        do { opened = try folder.open(file.name) } catch { throw .failed(error) }
        guard let opened else { throw .gone(file.name) }
        // A file that cannot be read is as good as damaged.
        guard let text = try? opened.contents(atMost: file.size), text.count == file.size,
            SHA256.of(text) == file.digest
        else { throw .failed(damaged(file.name)) }
        do {
            return try decode(text)
        } catch {
            throw .failed(error == .newer ? newer(file.name) : damaged(file.name))
        }
    }

    func damaged(_ name: String) -> StoreError {
        StoreError(.corrupt, "\(folder.path)/\(name) is damaged: it is not what was written there")
    }

    func newer(_ name: String) -> StoreError {
        StoreError(.newerFormat, "\(folder.path)/\(name) was written by a newer version")
    }
}
