import Files
import Synchronization
public import WaxwingCore

/// A store in plain text files, in a folder that can be read with a pager.
///
/// `manifest` names everything else: it holds the records that changed recently, and for each table the index of its
/// other files. A commit writes new files if needed, then a new manifest, which replaces the old one in one step; then
/// it removes the files that only the old one named. So whatever a change set deletes or overwrites is gone from the
/// folder when ``commit(_:)`` returns; blocks that the file system or the disk has released are out of reach. Every
/// file carries the checksum of its content, or is named with it: a torn or altered file is refused by name and never
/// read as valid.
///
/// A crash leaves the state before or after a change set. Files that belong to neither are removed by the next process
/// that opens the folder or commits to it.
///
/// Several processes may have the folder open; writers take turns. No file is larger than ``Limits/rowsBytesMax``
/// unless a single record is, and two neighbours together are at least a quarter of that. So the number of files grows
/// only with the number of bytes stored.
public final class FileStore: Store {
    /// The folder.
    public let path: String
    private let folder: Folder
    private let isReading: Bool

    private struct State {
        var manifest = Manifest()
        /// The manifest that was read last; kept open so that it can be told from any other file in its place.
        var file: File?
        var reader: FileReader
    }

    private let state: Mutex<State?>

    /// Opens the store in the folder `path`, which is created with mode 0700 if there is none.
    ///
    /// - Parameter mustExist: whether not to create a folder.
    /// - Throws: ``StoreError`` `notPermitted`, `full`, `newerFormat`, `corrupt` (also if the folder holds something
    ///   else), `failed`.
    public init(path: String, mustExist: Bool = false) throws(StoreError) {
        self.path = path
        let folder = try Folder(path: path, mustExist: mustExist)
        self.folder = folder
        isReading = false
        state = Mutex(State(reader: FileReader(folder: folder)))
        try folder.locked { () throws(StoreError) in
            if !(try folder.names().contains(Name.manifest)) {
                guard try folder.isNew else {
                    throw StoreError(
                        .corrupt, "\(path) is not a store, or its manifest is missing: it holds other files")
                }
                try Self.replaceManifest(by: Manifest(), in: folder)
            }
            try access { (state) throws(FileReader.Outcome) in
                do throws(StoreError) {
                    try Self.tidy(&state, in: folder)
                    try folder.mark(false)
                } catch {
                    throw .failed(error)
                }
            }
        }
    }

    /// Opens the store in the folder `path` for reading only: nothing in it is changed or made, and nothing has to be
    /// writable.
    ///
    /// What a crash has left behind stays in place and is not read. ``commit(_:)`` fails with `notPermitted`.
    ///
    /// - Throws: ``StoreError`` `notPermitted`, `newerFormat`, `corrupt` (also if the folder holds something else),
    ///   `failed` (also if there is none).
    public init(reading path: String) throws(StoreError) {
        self.path = path
        folder = try Folder(reading: path)
        isReading = true
        state = Mutex(State(reader: FileReader(folder: folder)))
        _ = try revision()
    }

    public func revision() throws(StoreError) -> UInt64 {
        try access { (state) throws(FileReader.Outcome) in state.manifest.revision }
    }

    public func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        try access { (state) throws(FileReader.Outcome) in
            if let recent = state.manifest.recent[table]?[key: key] { return recent }
            let references = try state.reader.index(table, in: state.manifest)
            let place = references.places(before: key) - 1
            return place < 0 ? nil : try state.reader.rows(references[place], of: table)[key: key]
        }
    }

    public func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool
    ) throws(StoreError) -> [Record] {
        try access { (state) throws(FileReader.Outcome) in
            let limit = max(1, limit)
            if let upper, !lower.lexicographicallyPrecedes(upper) { return [] }
            let references = try state.reader.index(table, in: state.manifest)
            let recent = state.manifest.recent[table] ?? []
            let fresh = recent[recent.range(from: lower, below: upper)]
            let first = max(0, references.places(before: lower) - 1)
            let last = upper.map { references.places(before: $0) } ?? references.count
            var stored: [Record] = []
            for step in 0..<max(0, last - first) {
                if stored.count >= limit { break }
                let place = descending ? last - 1 - step : first + step
                let rows = try state.reader.rows(references[place], of: table)
                let range = rows.range(from: lower, below: upper)
                if descending {
                    stored += rows[range].suffix(limit - stored.count).reversed()
                } else {
                    stored += rows[range].prefix(limit - stored.count)
                }
            }
            return Self.merge(stored, descending ? fresh.reversed() : Array(fresh), limit, descending: descending)
        }
    }

    public func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        if isReading { throw StoreError(.notPermitted, "\(path) was opened for reading only") }
        return try access(isWriter: true) { (state) throws(FileReader.Outcome) in
            guard state.manifest.revision == changes.base else {
                throw .failed(
                    StoreError(
                        .staleRevision,
                        "the store is at revision \(state.manifest.revision), the changes were made on \(changes.base)"
                    ))
            }
            let before = state.manifest.retired
            var commit = Commit(on: state.manifest, reader: state.reader)
            let (manifest, reader) = try commit.apply(changes)
            var isTidy = true
            do throws(StoreError) {
                // The last writer did not finish.
                if try folder.isMarked { isTidy = (try? Self.tidy(&state, in: folder)) != nil }
                try folder.mark(true)
                try Self.write(commit.files, manifest, in: folder)
            } catch {
                // If the new manifest is in place after all, the next access will find it there. The mark stays.
                throw .failed(error)
            }
            state.manifest = manifest
            state.reader = reader
            // If this fails, the next access opens it again.
            state.file = try? folder.open(Name.manifest)
            for name in manifest.retired + before {
                // The commit is done; the next one tries again to remove what cannot be removed now.
                if (try? folder.remove(name)) == nil { isTidy = false }
            }
            // Likewise: a mark that stays makes the next commit look at the folder.
            if isTidy { try? folder.mark(false) }
            return manifest.revision
        }
    }

    /// Closes the folder. Every later call fails.
    public func close() { state.withLock { $0 = nil } }

    // MARK: -

    /// Runs `body` with the current state of the folder.
    ///
    /// - Parameter isWriter: whether to keep other processes and threads from writing meanwhile.
    private func access<Result>(
        isWriter: Bool = false, _ body: (inout State) throws(FileReader.Outcome) -> Result
    ) throws(StoreError) -> Result {
        // The lock on the file belongs to this object, not to the thread, so threads take turns first.
        let outcome = state.withLock { (slot) -> Swift.Result<Result, StoreError> in
            guard var state = slot else { return .failure(StoreError(.failed, "\(path) was closed")) }
            slot = nil
            defer { slot = state }
            if isWriter {
                do throws(StoreError) { try folder.takeLock() } catch { return .failure(error) }
            }
            defer { if isWriter { folder.letLockGo() } }
            var gone = ""
            for _ in 0..<FileStoreLimits.readAttempts {
                do throws(FileReader.Outcome) {
                    try refresh(&state)
                    return .success(try body(&state))
                } catch {
                    switch error {
                    case .failed(let error): return .failure(error)
                    case .gone(let name):
                        // The file was removed by a later commit; if not, it is missing.
                        if (try? state.file.map { try folder.isCurrent($0, Name.manifest) }) ?? false {
                            return .failure(StoreError(.corrupt, "\(path)/\(name) is missing"))
                        }
                        gone = name
                    }
                }
            }
            return .failure(StoreError(.failed, "\(path)/\(gone) is replaced faster than it can be read"))
        }
        return try outcome.get()
    }

    /// Reads the manifest if it is not the one read before.
    private func refresh(_ state: inout State) throws(FileReader.Outcome) {
        do throws(StoreError) {
            if let file = state.file, try folder.isCurrent(file, Name.manifest) { return }
            guard let file = try folder.open(Name.manifest) else {
                // Another process may be about to make it.
                if isReading, state.file == nil, try folder.isNew { return }
                throw StoreError(.corrupt, "\(path)/\(Name.manifest) is missing")
            }
            // A file that cannot be read is as good as damaged.
            guard let text = try? file.contents(atMost: FileStoreLimits.manifestBytes) else {
                throw state.reader.damaged(Name.manifest)
            }
            do {
                state.manifest = try Manifest(decoding: text)
            } catch {
                throw error == .newer ? state.reader.newer(Name.manifest) : state.reader.damaged(Name.manifest)
            }
            state.file = file
        } catch {
            throw .failed(error)
        }
    }

    private static func merge(_ a: [Record], _ b: [Record], _ limit: Int, descending: Bool) -> [Record] {
        if b.isEmpty { return a }
        var result: [Record] = []
        var (left, right) = (a[...], b[...])
        while result.count < limit {
            switch (left.first, right.first) {
            case (let x?, let y?):
                if x.key.lexicographicallyPrecedes(y.key) != descending {
                    result.append(left.removeFirst())
                } else {
                    result.append(right.removeFirst())
                }
            case (_?, nil): result.append(left.removeFirst())
            case (nil, _?): result.append(right.removeFirst())
            case (nil, nil): return result
            }
        }
        return result
    }

    /// Brings the files of a commit to the disk, the manifest last. If that fails, removes what was written.
    private static func write(
        _ files: [(name: String, bytes: [UInt8])], _ manifest: Manifest, in folder: Folder
    ) throws(StoreError) {
        var written: [String] = []
        do {
            for file in files {
                written.append(file.name)
                try folder.write(file.name, file.bytes)
            }
            // Their names must be on disk before the manifest that names them.
            if !files.isEmpty { try folder.syncNames() }
            written.append(Name.nextManifest)
            try folder.write(Name.nextManifest, manifest.encoded)
            try folder.rename(Name.nextManifest, to: Name.manifest)
        } catch {
            // What cannot be removed now is removed by the next process that opens the store.
            for name in written { try? folder.remove(name) }
            throw error
        }
        try folder.syncNames()
    }

    private static func replaceManifest(by manifest: Manifest, in folder: Folder) throws(StoreError) {
        try write([], manifest, in: folder)
    }

    /// Removes what a crash has left behind: files that a commit wrote but did not name, or no longer named but did not
    /// remove. Call it with the lock.
    private static func tidy(_ state: inout State, in folder: Folder) throws(StoreError) {
        var named: [Table: Set<String>] = [:]
        for table in Table.allCases {
            // If an index is damaged, nothing is known of the table's files: they stay, and reading the table reports
            // it.
            guard let references = try? state.reader.index(table, in: state.manifest) else { continue }
            named[table] = Set(references.map(\.file.name) + [state.manifest.indexes[table]?.name ?? ""])
        }
        for name in try folder.names() {
            guard let (table, number) = Name.parts(of: name) else {
                if name == Name.nextManifest { try folder.remove(name) }
                continue
            }
            let isNamed = named[table]?.contains(name) ?? (number < state.manifest.nextNumber)
            if !isNamed || state.manifest.retired.contains(name) { try folder.remove(name) }
        }
    }
}
