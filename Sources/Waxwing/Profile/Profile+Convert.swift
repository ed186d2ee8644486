import FoundationEssentials
import Glibc
import MLSOpenSSL
import WaxwingClient
import WaxwingCore

/// Putting one store in the place of another.
///
/// At every moment at least one complete store lies in its place. The steps, each of them durable before the next:
///
/// 1. everything is copied into a draft, `store.new` or `store.sqlite.new`, which is then closed, whole in itself;
/// 2. one rename puts the draft into its place: now there are two stores that hold the same;
/// 3. what lies there is read and compared once more;
/// 4. one rename takes the old store out of its place, to `.old`, and its files are removed.
///
/// Whoever comes after a crash finds by these names what is left to do. All of it happens under the profile's lease, and nobody looks at what
/// is there without a share of it.
extension Profile {
    /// What came of a conversion.
    package struct Conversion: Sendable {
        package var from: StoreKind
        package var revision: UInt64
        package var digestBefore: [UInt8]
        package var digest: [UInt8]
    }

    package var useLockPath: String { folder + "/use.lock" }

    package func draftPath(_ kind: StoreKind) -> String { storePath(kind) + ".new" }
    package func retiredPath(_ kind: StoreKind) -> String { storePath(kind) + ".old" }

    /// Moves the profile into a store of this sort; where it is in one already, changes nothing.
    ///
    /// - Parameters:
    ///   - isStopped: asked now and then; with the answer yes it ends, and changes nothing.
    ///   - progress: called with the number of records copied so far.
    /// - Throws: ``AccountError``, also `interrupted`, `StoreError`; the profile is in the old store or in the new one, as it was.
    package func convert(
        to kind: StoreKind, isStopped: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
    ) throws -> Conversion {
        guard try exists() else { throw AccountError.notSignedIn }
        guard let lease = try ConnectionLease.take(path: useLockPath) else { throw AccountError.openElsewhere }
        defer { withExtendedLifetime(lease) {} }
        try settle()
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
            // Nothing of the old one may stay outside of what is renamed later.
            try close(source)
            try move(kind, from: draftPath(kind), to: storePath(kind))
        } catch {
            // It only takes up room. What cannot be removed now is removed by the next one that opens the profile.
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

    /// A share of the profile's store, so that it stays where it is; taken before anybody looks at what is there. Whatever a conversion that was
    /// cut short has left is settled first.
    ///
    /// - Throws: ``AccountError`` `beingConverted` while the store is being moved.
    func shareStore() throws -> ConnectionLease {
        let (attempts, pauseMicroseconds) = (40, UInt32(50_000))
        for attempt in 0..<attempts {
            if attempt > 0 { usleep(pauseMicroseconds) }
            // Whoever else has it open is not in a conversion, or is the conversion.
            if try hasLeftovers(), let lease = try ConnectionLease.take(path: useLockPath) {
                defer { withExtendedLifetime(lease) {} }
                try settle()
            }
            guard let lease = try ConnectionLease.share(path: useLockPath) else { continue }
            // Which of two counts is not for somebody to say who has only a share.
            if !isDouble { return lease }
        }
        throw isDouble ? AccountError.openElsewhere : .beingConverted
    }

    /// The same for whoever only reads: what is left over stays.
    func shareStoreToRead() throws -> ConnectionLease {
        let (attempts, pauseMicroseconds) = (40, UInt32(50_000))
        for attempt in 0..<attempts {
            if attempt > 0 { usleep(pauseMicroseconds) }
            if let lease = try ConnectionLease.shareToRead(path: useLockPath) { return lease }
        }
        throw AccountError.beingConverted
    }

    /// The store that counts; nil where there is none. For the holder of a share.
    package func storeKindToRead() throws -> StoreKind? {
        guard isDouble else { return try storeKind() }
        return try kindThatCounts { try digest(of: try openToRead(kind: $0)) }
    }

    // MARK: Leftovers

    private var isDouble: Bool { StoreKind.allCases.allSatisfy { Self.isThere(storePath($0)) } }

    /// What SQLite puts beside a database. The journal is there while it makes one.
    private static func companions(of path: String) -> [String] { ["-wal", "-shm", "-journal"].map { path + $0 } }

    /// SQLite's files beside a database that is not there.
    private var strays: [String] {
        let path = storePath(.sqlite)
        return Self.isThere(path) ? [] : Self.companions(of: path).filter(Self.isThere)
    }

    private func hasLeftovers() throws(AccountError) -> Bool {
        // With no store in its place, nothing is left over from one.
        guard try exists() else { return false }
        return isDouble || !strays.isEmpty
            || StoreKind.allCases.contains { Self.isThere(draftPath($0)) || Self.isThere(retiredPath($0)) }
            || Self.companions(of: draftPath(.sqlite)).contains(where: Self.isThere)
    }

    /// Removes what a conversion that was cut short has left. For the holder of the lease.
    private func settle() throws {
        guard try hasLeftovers() else { return }
        if isDouble { try settleDouble() }
        for kind in StoreKind.allCases {
            try remove(kind, at: draftPath(kind))
            try remove(kind, at: retiredPath(kind))
        }
        try removeStrays()
    }

    /// Of two stores that hold the same, or of which one holds nothing, leaves one.
    ///
    /// - Throws: ``AccountError`` if it is not clear which of them counts; both are left as they are.
    private func settleDouble() throws {
        let kind = try kindThatCounts { kind in
            let store = try open(kind: kind, mustExist: true)
            let digest = try digest(of: store)
            try close(store)
            return digest
        }
        for other in StoreKind.allCases where other != kind { try retire(other) }
    }

    /// Which of two stores counts, by what they hold.
    ///
    /// - Parameter content: the digest of a store; nil for one that holds nothing.
    /// - Throws: ``AccountError`` if that is not clear.
    private func kindThatCounts(_ content: (StoreKind) throws -> [UInt8]?) throws -> StoreKind {
        do {
            let (sqlite, files) = (try content(.sqlite), try content(.files))
            if sqlite == files || files == nil { return .sqlite }
            if sqlite == nil { return .files }
            throw AccountError.storesDiffer(storePath(.sqlite), storePath(.files))
        } catch let error as StoreError where error.code == .corrupt {
            throw AccountError.secondStoreDamaged(reason: error.reason)
        }
    }

    private func digest(of store: any Store) throws -> [UInt8]? {
        let isEmpty = try Table.allCases.allSatisfy { table in
            try store.page(table, from: [], below: nil, limit: 1, descending: false).isEmpty
        }
        return isEmpty ? nil : try store.contentDigest(OpenSSLProvider())
    }

    // MARK: Steps

    /// Puts a store, which nobody has open, into another place; it is there for good on return.
    private func move(_ kind: StoreKind, from place: String, to target: String) throws(AccountError) {
        try removeStrays()
        guard rename(place, target) == 0 else { throw .fileUnusable(path: target, systemError: errno) }
        let code = PrivateFile.syncNames(in: folder)
        guard code == 0 else { throw .fileUnusable(path: folder, systemError: code) }
    }

    /// Takes a store out of its place, where another one holds the same, and removes it.
    private func retire(_ kind: StoreKind) throws(AccountError) {
        try remove(kind, at: retiredPath(kind))
        try move(kind, from: storePath(kind), to: retiredPath(kind))
        try remove(kind, at: retiredPath(kind))
        try removeStrays()
    }

    private func removeStrays() throws(AccountError) {
        for path in strays {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw .fileUnusable(path: path, systemError: errno)
            }
        }
    }

    /// Removes a store with all its files; one that is not there is no error.
    private func remove(_ kind: StoreKind, at path: String) throws(AccountError) {
        switch kind {
        case .sqlite:
            for file in Self.companions(of: path) + [path] {
                guard unlink(file) == 0 || errno == ENOENT else {
                    throw .fileUnusable(path: file, systemError: errno)
                }
            }
        case .files:
            guard Self.isThere(path) else { return }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw .fileStays(path: path, reason: "\(error)")
            }
        }
    }

    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}
