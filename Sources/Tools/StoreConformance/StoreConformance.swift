public import WaxwingCore

/// What every store has to do, whatever it keeps its bytes in.
///
/// ```swift
/// @Test(arguments: StoreConformance.Check.allCases)
/// func conforms(_ check: StoreConformance.Check) throws {
///     try StoreConformance { folder in try MyStore(path: folder) }.run(check)
/// }
/// ```
///
/// A program that links this library has its own `write`, `fsync`, `rename` and so on (see `faults.h`), so that the
/// disk can be made to fail. They do what the system's do, except on a thread that runs one of the checks about failing
/// disks. So those checks cover only the calls that a store makes on the thread that called it.
public struct StoreConformance: Sendable {
    /// One thing a store has to do.
    public enum Check: String, CaseIterable, Sendable {
        // What any store must do, even one in memory.
        case aFreshStoreIsEmpty
        case putGetDelete
        case tablesAreSeparate
        case keysAndValuesMayBeEmptyOrLarge
        case pagesAreInKeyOrder
        case prefixesEndWhereTheyEnd
        case changesApplyInOrder
        case staleRevisionsAreRefused
        case revisionsRiseByOne
        case randomOperationsMatchAModel
        case threadsShareAStore

        // What a store must do as well if it keeps its bytes on disk.
        case whatWasCommittedIsThereAfterReopening
        case whatOneCommitsTheOtherSees
        case writersLoseNothing
        case whatIsGoneLeavesTheFiles
        case aCrashAnywhereLeavesNothingBetween
        case aLossOfPowerAnywhereLeavesNothingBetween
        case aFailureAnywhereChangesNothing

        /// Whether it is about the disk.
        public var isAboutTheDisk: Bool {
            switch self {
            case .aFreshStoreIsEmpty, .putGetDelete, .tablesAreSeparate, .keysAndValuesMayBeEmptyOrLarge,
                .pagesAreInKeyOrder, .prefixesEndWhereTheyEnd, .changesApplyInOrder, .staleRevisionsAreRefused,
                .revisionsRiseByOne, .randomOperationsMatchAModel, .threadsShareAStore:
                false
            case .whatWasCommittedIsThereAfterReopening, .whatOneCommitsTheOtherSees, .writersLoseNothing,
                .whatIsGoneLeavesTheFiles, .aCrashAnywhereLeavesNothingBetween,
                .aLossOfPowerAnywhereLeavesNothingBetween, .aFailureAnywhereChangesNothing:
                true
            }
        }
    }

    /// What a store got wrong.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    let open: @Sendable (_ folder: String) throws -> any Store

    /// - Parameter open: opens the store in an existing folder: an empty one, or one in which it was open before.
    public init(_ open: @escaping @Sendable (_ folder: String) throws -> any Store) { self.open = open }

    /// Runs one check, in a folder of its own in the system's folder for temporary files.
    ///
    /// - Throws: ``Failure``, or what the store threw when it should not have.
    public func run(_ check: Check) throws {
        let folder = try CheckFolder()
        defer { folder.delete() }
        switch check {
        case .aFreshStoreIsEmpty: try aFreshStoreIsEmpty(open(folder.path))
        case .putGetDelete: try putGetDelete(open(folder.path))
        case .tablesAreSeparate: try tablesAreSeparate(open(folder.path))
        case .keysAndValuesMayBeEmptyOrLarge: try keysAndValuesMayBeEmptyOrLarge(open(folder.path))
        case .pagesAreInKeyOrder: try pagesAreInKeyOrder(open(folder.path))
        case .prefixesEndWhereTheyEnd: try prefixesEndWhereTheyEnd(open(folder.path))
        case .changesApplyInOrder: try changesApplyInOrder(open(folder.path))
        case .staleRevisionsAreRefused: try staleRevisionsAreRefused(open(folder.path))
        case .revisionsRiseByOne: try revisionsRiseByOne(open(folder.path))
        case .randomOperationsMatchAModel:
            for seed in 1...2 as ClosedRange<UInt64> {
                try randomOperationsMatchAModel(open(folder.subfolder()), seed: seed)
            }
        case .threadsShareAStore: try threadsShareAStore(folder)
        case .whatWasCommittedIsThereAfterReopening: try whatWasCommittedIsThereAfterReopening(folder)
        case .whatOneCommitsTheOtherSees: try whatOneCommitsTheOtherSees(folder)
        case .writersLoseNothing: try writersLoseNothing(folder)
        case .whatIsGoneLeavesTheFiles: try whatIsGoneLeavesTheFiles(folder)
        case .aCrashAnywhereLeavesNothingBetween: try nothingBetween(folder, losingPower: false)
        case .aLossOfPowerAnywhereLeavesNothingBetween: try nothingBetween(folder, losingPower: true)
        case .aFailureAnywhereChangesNothing: try aFailureAnywhereChangesNothing(folder)
        }
    }

    func expect(_ condition: @autoclosure () throws -> Bool, _ what: @autoclosure () -> String) throws {
        guard try condition() else { throw Failure(description: "Not so: \(what()).") }
    }
}

extension Store {
    /// Commits on top of the current revision.
    public func apply(_ changes: [ChangeSet.Change]) throws(StoreError) {
        var set = ChangeSet(base: try revision())
        set.changes = changes
        _ = try commit(set)
    }

    /// A whole table.
    public func all(_ table: Table) throws(StoreError) -> [Record] {
        try page(table, from: [], below: nil, limit: .max, descending: false)
    }
}

/// SplitMix64: the same numbers from the same seed.
struct Numbers {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
}
