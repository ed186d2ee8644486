/// What the core keeps for one account: ordered tables of small records, changed all together or not at all.
///
/// A store knows nothing of groups or messages. It keeps bytes under keys, in key order, and promises four things:
///
/// - A change set is applied as a whole or not at all.
/// - It is on disk when ``commit(_:)`` returns.
/// - A change set built on an old revision is refused.
/// - What a change set deletes or overwrites is gone from the files when ``commit(_:)`` returns, as far as the file
///   system allows.
///
/// Several processes may have the same store open. All methods may be called from any thread.
public protocol Store: Sendable {
    /// The number of change sets committed so far, by any process; 0 for an empty store.
    func revision() throws(StoreError) -> UInt64

    /// The value under `key`, or nil.
    func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]?

    /// Records whose key is at least `lower` and, if given, below `upper`, in ascending key order (bytewise), or in
    /// descending order if `descending` is set.
    ///
    /// - Parameter limit: at most this many; at least 1.
    func page(_ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool)
        throws(StoreError)
        -> [Record]

    /// Lends the records from `lower` on and, if given, below `upper`, in ascending key order, each for the time of a
    /// call.
    ///
    /// For callers that go through very many of them. A store need not implement it; one that can lend its memory saves
    /// its callers the copies.
    ///
    /// - Parameter body: returns whether to go on. It must not use the store.
    func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError)

    /// Applies all of `changes` in order, or none of them, durably.
    ///
    /// - Returns: the new revision, `changes.base + 1`.
    /// - Throws: `staleRevision` if another change set was committed since `changes.base`; `full` if the disk is full.
    func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64
}

extension Store {
    /// For stores that have nothing to lend: pages are short, as each is read as a whole.
    public func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        let pageLength = 16
        var place = lower
        while true {
            let page = try page(table, from: place, below: upper, limit: pageLength, descending: false)
            for record in page {
                let goesOn = record.key.withUnsafeBytes { key in record.value.withUnsafeBytes { body(key, $0) } }
                if !goesOn { return }
            }
            guard page.count == pageLength, let last = page.last else { return }
            place = last.key + [0]
        }
    }
}

/// The tables of a store. The raw value is part of the stored format.
public enum Table: UInt8, CaseIterable, Sendable {
    /// The account itself: names, token, keys, counters.
    case account = 1
    /// Users we know: names, pinned fingerprints.
    case user = 2
    /// Key packages of our own with their private keys.
    case keyPackage = 3
    /// One small record a group: name, status, cursor.
    case group = 4
    /// The MLS state of each group, as the engine's own small records.
    case groupState = 5
    /// Staged commits: of our own in flight, and escrowed invites.
    case staged = 6
    /// What waits to be sent.
    case outbox = 7
    /// Raw rows that were fetched and are not applied yet, or are parked for a later epoch.
    case inbox = 8
    /// What can be read.
    case history = 9
    /// What was seen in a group's log: ciphertext hashes and message ids.
    case seen = 10
    /// Invites received.
    case invite = 11
    /// Who is in each group.
    case membership = 12
}

/// A value under its key.
public struct Record: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// The first key after all keys that begin with `prefix`; nil if there is none: for an empty prefix, or one of 0xff
    /// alone.
    public static func key(afterPrefix prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != 0xFF }) else { return nil }
        var key = Array(prefix[...last])
        key[last] += 1
        return key
    }
}

/// Changes that are applied together.
public struct ChangeSet: Hashable, Sendable {
    /// One change of one table. A `put` replaces what was there; a `delete` of what is not there changes nothing.
    public enum Change: Hashable, Sendable {
        case put(Table, key: [UInt8], value: [UInt8])
        case delete(Table, key: [UInt8])
        /// Deletes every record whose key begins with `prefix`; an empty prefix empties the table.
        case deletePrefix(Table, prefix: [UInt8])
    }

    /// The revision the changes were built on.
    public var base: UInt64
    public var changes: [Change] = []

    public init(base: UInt64) { self.base = base }
    public var isEmpty: Bool { changes.isEmpty }
}

/// Why a store could not do what it was asked to do. Two errors are equal if their codes are.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable {
        /// Another change set was committed since the base revision: read again and build a new one.
        case staleRevision
        /// The disk (or a quota) is full. Nothing was changed.
        case full
        /// The place cannot be read or written.
        case notPermitted
        /// What is stored is damaged. None of it is trusted.
        case corrupt
        /// Written by a newer version.
        case newerFormat
        /// Any other failure of the disk or the operating system.
        case failed
    }

    public static func == (a: StoreError, b: StoreError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
    public var description: String { reason }
}
