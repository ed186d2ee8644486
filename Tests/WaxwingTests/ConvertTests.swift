import CFaults
import FileStore
import Foundation
import MLSOpenSSL
import SQLiteStore
import TestFolders
import Testing
import WaxwingClient
import WaxwingCore

@testable import Waxwing

/// A profile moves between stores; whatever goes wrong on the way, there is one complete store.
@Suite struct ConvertTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func profile(_ name: String = "default") throws -> Profile {
        let profile = Profile(name: name, folder: folder.path + "/" + name)
        try profile.prepare()
        return profile
    }

    /// Puts records into a store, in its place or in another one.
    @discardableResult
    private func fill(_ profile: Profile, _ kind: StoreKind, at path: String? = nil, with fill: UInt8 = 1) throws
        -> [UInt8]
    {
        let store = try profile.open(kind: kind, at: path)
        var changes = ChangeSet(base: try store.revision())
        for table in Table.allCases {
            for number in 0..<3 as Range<UInt8> {
                let value = [UInt8](repeating: fill, count: 40 + 300 * Int(number))
                changes.changes.append(.put(table, key: [number], value: value))
            }
        }
        _ = try store.commit(changes)
        let digest = try store.contentDigest(OpenSSLProvider())
        try profile.close(store)
        return digest
    }

    private func digest(_ profile: Profile) throws -> [UInt8] {
        try profile.openStore().contentDigest(OpenSSLProvider())
    }

    /// The same for a process that only reads, and so leaves everything as it is.
    private func digestAsRead(_ profile: Profile) throws -> [UInt8] {
        let own: Set = ["store.sqlite-wal", "store.sqlite-shm"]
        let names = try storeNames(profile)
        let digest = try profile.openStoreToRead().contentDigest(OpenSSLProvider())
        #expect(try storeNames(profile).subtracting(own) == names.subtracting(own), "reading has changed something")
        return digest
    }

    private func storeNames(_ profile: Profile) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: profile.folder).filter { $0.hasPrefix("store") })
    }

    private func names(_ kind: StoreKind) -> Set<String> { kind == .sqlite ? ["store.sqlite"] : ["store"] }

    private static func other(_ kind: StoreKind) -> StoreKind { kind == .sqlite ? .files : .sqlite }

    @Test(arguments: StoreKind.allCases) func allOfItMoves(from old: StoreKind) throws {
        let profile = try profile()
        let before = try fill(profile, old)
        let new = Self.other(old)
        let conversion = try profile.convert(to: new)
        #expect(conversion.from == old && conversion.digestBefore == before && conversion.digest == before)
        #expect(try storeNames(profile) == names(new))
        #expect(try digest(profile) == before)
        let again = try profile.convert(to: new)
        #expect(again.from == new && again.digest == before)
    }

    /// The process is killed, or the power goes, at any call of a conversion that changes something on the disk.
    @Test(arguments: StoreKind.allCases, [false, true])
    func aCrashAnywhereLosesNothing(from old: StoreKind, losingPower: Bool) throws {
        let new = Self.other(old)
        // The disk is dead from that call on; what the conversion says about it does not matter.
        let calls = try convertAgainAndAgain(old, WAXWING_FAULT_CRASH, EIO) { profile, before, call, isDone throws in
            if losingPower {
                // Once the new store counts, the files of the old folder cannot be put back: the folder itself is gone.
                let isUndone = waxwing_faults_lose_unsynced()
                #expect(isUndone || isDone)
            } else {
                waxwing_faults_forget()
            }
            #expect(try digestAsRead(profile) == before, "after a crash at call \(call)")
            #expect(try digest(profile) == before, "after a crash at call \(call)")
            let kind = try #require(try profile.storeKind())
            if isDone { #expect(kind == new) }
            let left = try storeNames(profile).subtracting(["store.sqlite-wal", "store.sqlite-shm"])
            #expect(left == names(kind), "after a crash at call \(call)")
            #expect(try profile.convert(to: new).digest == before, "after a crash at call \(call)")
            #expect(try storeNames(profile) == names(new))
        }
        #expect(calls > 20)
    }

    /// One call fails because the disk is full: the profile is in one store or the other, whole, and the conversion can
    /// be repeated.
    @Test(arguments: StoreKind.allCases)
    func aFullDiskAnywhereLosesNothing(from old: StoreKind) throws {
        // It may fail or not; what matters is what is there afterwards.
        try convertAgainAndAgain(old, WAXWING_FAULT_ONCE, ENOSPC) { profile, before, call, _ throws in
            waxwing_faults_forget()
            #expect(try digest(profile) == before, "after a failure at call \(call)")
            #expect(
                try profile.convert(to: Self.other(old)).digest == before, "after a failure at call \(call)")
        }
    }

    /// Moves one new profile after the other into the other kind of store, each with a fault at a later call, until
    /// none of the calls is left.
    ///
    /// - Parameter look: is given the profile, its digest before, the number of the call, and whether the conversion
    ///   succeeded.
    /// - Returns: the number of the last call.
    @discardableResult
    private func convertAgainAndAgain(
        _ old: StoreKind, _ fault: waxwing_fault_mode, _ code: Int32,
        _ look: (_ profile: Profile, _ before: [UInt8], _ call: UInt64, _ isDone: Bool) throws -> Void
    ) throws -> UInt64 {
        var call: UInt64 = 1
        while true {
            let profile = try profile("at\(call)")
            let before = try fill(profile, old)
            let scratch = profile.folder + "-scratch"
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            waxwing_faults_arm(fault, call, code, scratch)
            let isDone = (try? profile.convert(to: Self.other(old))) != nil
            let calls = waxwing_faults_disarm()
            try look(profile, before, call, isDone)
            if calls < call { return call }
            try FileManager.default.removeItem(atPath: profile.folder)
            try FileManager.default.removeItem(atPath: scratch)
            call += 1
        }
    }

    /// Drafts, stores on their way out, and stray files of SQLite, in every combination.
    @Test(arguments: StoreKind.allCases, 0..<32)
    func leftoversAreClearedAwayAndNothingElse(kept: StoreKind, combination: Int) throws {
        let profile = try profile()
        let before = try fill(profile, kept)
        for (bit, kind) in StoreKind.allCases.enumerated() {
            if combination & (1 << bit) != 0 { try fill(profile, kind, at: profile.draftPath(kind), with: 7) }
            if combination & (4 << bit) != 0 { try fill(profile, kind, at: profile.retiredPath(kind), with: 8) }
        }
        // The other one is there, too, and holds the same.
        if combination & 16 != 0 { try fill(profile, Self.other(kept)) }
        if kept == .files, combination & 16 == 0 { try folder.write("default/store.sqlite-wal", "stray") }
        #expect(try digestAsRead(profile) == before)
        #expect(try digest(profile) == before)
        let kind = try #require(try profile.storeKind())
        #expect(try storeNames(profile).subtracting(["store.sqlite-wal", "store.sqlite-shm"]) == names(kind))
    }

    @Test(arguments: StoreKind.allCases) func anEmptyStoreBesideAFullOneIsNotTakenForIt(kept: StoreKind) throws {
        let profile = try profile()
        let before = try fill(profile, kept)
        _ = try profile.open(kind: Self.other(kept))
        #expect(try digestAsRead(profile) == before)
        #expect(try digest(profile) == before)
        #expect(try profile.storeKind() == kept)
    }

    @Test func ofTwoThatDifferNoneIsRemoved() throws {
        let profile = try profile()
        try fill(profile, .sqlite, with: 1)
        try fill(profile, .files, with: 2)
        for _ in 0..<2 {
            let both = AccountError.storesDiffer(profile.storePath(.sqlite), profile.storePath(.files))
            #expect(throws: both) { try profile.openStore() }
            #expect(throws: both) { try profile.openStoreToRead() }
            #expect(throws: both) { try profile.convert(to: .files) }
        }
        #expect(try storeNames(profile).isSuperset(of: ["store", "store.sqlite"]))
        // A damaged one is not removed either, nor is the other.
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: profile.storePath(.sqlite)))
        let trouble = try #require(throws: AccountError.self) { try profile.openStore() }
        guard case .secondStoreDamaged = trouble else { return #expect(Bool(false), "\(trouble)") }
        #expect(try storeNames(profile).isSuperset(of: ["store", "store.sqlite"]))
    }

    /// Someone who looked at the profile before a conversion opens what is there after it.
    @Test func whoComesDuringAConversionMakesNoStore() throws {
        let profile = try profile()
        let before = try fill(profile, .sqlite)
        do {
            let lease = try #require(try ConnectionLease.take(path: profile.useLockPath))
            #expect(throws: AccountError.beingConverted) { try profile.openStore() }
            withExtendedLifetime(lease) {}
        }
        #expect(throws: StoreError.self) { try profile.open(kind: .files, mustExist: true) }
        #expect(throws: StoreError.self) {
            try profile.open(kind: .sqlite, at: profile.draftPath(.sqlite), mustExist: true)
        }
        #expect(try storeNames(profile) == ["store.sqlite"])
        #expect(try digest(profile) == before)
    }
}
