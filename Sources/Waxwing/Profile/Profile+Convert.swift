import Machine
import Files
import FoundationEssentials
import MLSOpenSSL
import WaxwingClient
import WaxwingCore

/// Replaces one store by another.
///
/// At every moment at least one complete store is in its place. Each step is durable before the next begins:
///
/// 1. copy everything into a draft, `store.new` or `store.sqlite.new`, and close it, complete in itself;
/// 2. rename the draft into its place: now two stores hold the same content;
/// 3. read the new store and compare it again;
/// 4. rename the old store to `.old`, and remove its files.
///
/// After a crash, these names tell the next process what is left to do. All of it happens under the profile's lease,
/// and no one looks at the stores without a share of it.
extension Profile {
    /// The result of a conversion.
    package struct Conversion: Sendable {
        package var from: StoreKind
        package var revision: UInt64
        package var digestBefore: [UInt8]
        package var digest: [UInt8]
    }

    package var useLockPath: String { folder + "/use.lock" }

    package func draftPath(_ kind: StoreKind) -> String { storePath(kind) + ".new" }
    package func retiredPath(_ kind: StoreKind) -> String { storePath(kind) + ".old" }

    /// Moves the profile into a store of this kind. Changes nothing if it is in one already.
    ///
    /// - Parameters:
    ///   - isStopped: asked now and then; if it returns true, the conversion ends and changes nothing.
    ///   - progress: called with the number of records copied so far.
    /// - Throws: ``AccountError``, also `interrupted`, and `StoreError`; the profile is then in the old store or in the
    ///   new one, unchanged.
    package func convert(
        to kind: StoreKind, isStopped: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
    ) throws -> Conversion {
        guard try exists() else { throw AccountError.notSignedIn }
        guard let lease = try ConnectionLease.take(path: useLockPath) else { throw AccountError.openElsewhere }
        defer { withExtendedLifetime(lease) {} }
        try cleanUp()
        guard let old = try storeKind() else { throw AccountError.notSignedIn }
        let provider = OpenSSLProvider()
        let source = try open(kind: old, mustExist: true)
        let before = try source.contentDigest(provider)
        if old == kind {
            return Conversion(from: old, revision: try source.revision(), digestBefore: before, digest: before)
        }
        do {
            let target = try open(kind: kind, at: draftPath(kind))
            try source.copyContent(to: target) { count in
                if isStopped() { throw AccountError.interrupted }
                progress(count)
            }
            guard try target.contentDigest(provider) == before else { throw AccountError.copyDiffers }
            try close(target)
            // No file of the old store may be left outside of what is renamed later.
            try close(source)
            try move(kind, from: draftPath(kind), to: storePath(kind))
        } catch {
            // The old store only takes up space. What cannot be removed now is removed the next time the profile is
            // opened.
            try? remove(kind, at: draftPath(kind))
            throw error
        }
        let moved = try open(kind: kind, mustExist: true)
        let after = try moved.contentDigest(provider)
        let revision = try moved.revision()
        try close(moved)
        guard after == before else {
            try move(kind, from: storePath(kind), to: draftPath(kind))
            throw AccountError.copyDiffers
        }
        try retire(old)
        return Conversion(from: old, revision: revision, digestBefore: before, digest: after)
    }

    /// A share of the profile's lease, so that its store stays in place; take it before looking at the stores. First
    /// cleans up after a conversion that was cut short.
    ///
    /// - Throws: ``AccountError`` `beingConverted` while the store is being moved.
    func shareStore() throws -> ConnectionLease {
        let (attempts, pauseMicroseconds) = (40, UInt32(50_000))
        for attempt in 0..<attempts {
            if attempt > 0 { Machine.pause(microseconds: pauseMicroseconds) }
            // Another process that has it open is either not converting, or is the one that converts.
            if try hasLeftovers(), let lease = try ConnectionLease.take(path: useLockPath) {
                defer { withExtendedLifetime(lease) {} }
                try cleanUp()
            }
            guard let lease = try ConnectionLease.share(path: useLockPath) else { continue }
            // Choosing between two stores takes the whole lease, not only a share.
            if !isDouble { return lease }
        }
        throw isDouble ? AccountError.openElsewhere : .beingConverted
    }

    /// The same for reading only: leftovers stay.
    func shareStoreToRead() throws -> ConnectionLease {
        let (attempts, pauseMicroseconds) = (40, UInt32(50_000))
        for attempt in 0..<attempts {
            if attempt > 0 { Machine.pause(microseconds: pauseMicroseconds) }
            if let lease = try ConnectionLease.shareToRead(path: useLockPath) { return lease }
        }
        throw AccountError.beingConverted
    }

    /// The store to use; nil if there is none. Call it with a share of the lease.
    package func storeKindToRead() throws -> StoreKind? {
        guard isDouble else { return try storeKind() }
        return try kindThatCounts { try digest(of: try openToRead(kind: $0)) }
    }

    // MARK: Leftovers

    private var isDouble: Bool { StoreKind.allCases.allSatisfy { FileSystem.isThere(storePath($0)) } }

    /// SQLite's files beside a database. The journal exists while SQLite makes a database.
    private static func companions(of path: String) -> [String] { ["-wal", "-shm", "-journal"].map { path + $0 } }

    /// SQLite's files without their database.
    private var strays: [String] {
        let path = storePath(.sqlite)
        return FileSystem.isThere(path) ? [] : Self.companions(of: path).filter(FileSystem.isThere)
    }

    private func hasLeftovers() throws(AccountError) -> Bool {
        // With no store in place, nothing is left over from one.
        guard try exists() else { return false }
        return isDouble || !strays.isEmpty
            || StoreKind.allCases.contains { FileSystem.isThere(draftPath($0)) || FileSystem.isThere(retiredPath($0)) }
            || Self.companions(of: draftPath(.sqlite)).contains(where: FileSystem.isThere)
    }

    /// Removes what a conversion that was cut short has left. Call it with the lease.
    private func cleanUp() throws {
        guard try hasLeftovers() else { return }
        if isDouble { try cleanUpDouble() }
        for kind in StoreKind.allCases {
            try remove(kind, at: draftPath(kind))
            try remove(kind, at: retiredPath(kind))
        }
        try removeStrays()
    }

    /// Removes one of two stores that hold the same, or the one that holds nothing.
    ///
    /// - Throws: ``AccountError`` if it is not clear which one to keep; both are left unchanged.
    private func cleanUpDouble() throws {
        let kind = try kindThatCounts { kind in
            let store = try open(kind: kind, mustExist: true)
            let digest = try digest(of: store)
            try close(store)
            return digest
        }
        for other in StoreKind.allCases where other != kind { try retire(other) }
    }

    /// Decides which of two stores to keep, by their content.
    ///
    /// - Parameter content: returns the digest of a store; nil for one that holds nothing.
    /// - Throws: ``AccountError`` if that is not clear.
    private func kindThatCounts(_ content: (StoreKind) throws -> [UInt8]?) throws -> StoreKind {
        do {
            let (sqlite, files) = (try content(.sqlite), try content(.files))
            if sqlite == files || files == nil { return .sqlite }
            if sqlite == nil { return .files }
            throw AccountError.storesDiffer(storePath(.sqlite), storePath(.files))
        } catch let error as StoreError where error.code == .corrupt {
            throw AccountError.secondStoreDamaged(error)
        }
    }

    private func digest(of store: any Store) throws -> [UInt8]? {
        let isEmpty = try Table.allCases.allSatisfy { table in
            try store.page(table, from: [], below: nil, limit: 1, descending: false).isEmpty
        }
        return isEmpty ? nil : try store.contentDigest(OpenSSLProvider())
    }

    // MARK: Steps

    /// Moves a store that no one has open to another place; the move is durable on return.
    private func move(_ kind: StoreKind, from place: String, to target: String) throws(AccountError) {
        try removeStrays()
        do throws(FileError) {
            try FileSystem.rename(place, to: target)
            try FileSystem.syncNames(in: folder)
        } catch {
            throw AccountError(error)
        }
    }

    /// Moves a store out of its place, now that another one holds the same, and removes it.
    private func retire(_ kind: StoreKind) throws(AccountError) {
        try remove(kind, at: retiredPath(kind))
        try move(kind, from: storePath(kind), to: retiredPath(kind))
        try remove(kind, at: retiredPath(kind))
        try removeStrays()
    }

    private func removeStrays() throws(AccountError) { try Self.remove(strays) }

    /// Removes a store with all its files. A missing store is not an error.
    private func remove(_ kind: StoreKind, at path: String) throws(AccountError) {
        switch kind {
        case .sqlite: try Self.remove(Self.companions(of: path) + [path])
        case .files:
            guard FileSystem.isThere(path) else { return }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                let cause = (error as? CocoaError)?.underlying as? POSIXError
                throw .fileStays(path: path, systemError: (cause?.code ?? .EIO).rawValue)
            }
        }
    }

    private static func remove(_ files: [String]) throws(AccountError) {
        do throws(FileError) {
            for file in files { try FileSystem.remove(file) }
        } catch {
            throw AccountError(error)
        }
    }
}
