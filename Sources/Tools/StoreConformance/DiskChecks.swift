import Foundation
import WaxwingCore

/// What holds for a store that keeps its bytes on disk, as long as the disk works.
extension StoreConformance {
    func whatWasCommittedIsThereAfterReopening(_ folder: CheckFolder) throws {
        let large = [UInt8](repeating: 3, count: 200_000)
        do {
            let store = try open(folder.path)
            try store.apply([.put(.history, key: [1], value: [2]), .put(.groupState, key: [1], value: large)])
            try store.apply([.delete(.history, key: [1]), .put(.history, key: [2], value: [3])])
        }
        let store = try open(folder.path)
        try expect(try store.revision() == 2, "the revision is there after reopening")
        try expect(try store.all(.history) == [Record(key: [2], value: [3])], "what was committed is there")
        try expect(try store.value(.groupState, [1]) == large, "a large value is there")
    }

    func whatOneCommitsTheOtherSees(_ folder: CheckFolder) throws {
        let first = try open(folder.path)
        let second = try open(folder.path)
        var changes = ChangeSet(base: try second.revision())
        changes.changes = [.put(.outbox, key: [2], value: [2])]
        try first.apply([.put(.outbox, key: [1], value: [1])])
        do throws(StoreError) {
            _ = try second.commit(changes)
            throw StoreError(.failed, "a change set was taken that did not know of another one")
        } catch {
            try expect(error.code == .staleRevision, "the later of two writers is told to reload, not: \(error)")
        }
        try expect(try second.revision() == 1, "the other one's revision is seen")
        try expect(try second.value(.outbox, [1]) == [1], "the other one's record is seen")
        changes.base = 1
        _ = try second.commit(changes)
        try expect(try first.value(.outbox, [2]) == [2], "each sees what the other one committed")
    }

    func writersLoseNothing(_ folder: CheckFolder) throws {
        try count(in: folder, sharingOneStore: false)
    }

    func threadsShareAStore(_ folder: CheckFolder) throws {
        try count(in: folder, sharingOneStore: true)
    }

    /// Several threads count together, and each keeps a record of its own for each step.
    private func count(in folder: CheckFolder, sharingOneStore: Bool) throws {
        let (writers, times) = (4, 25)
        let failures = LockedList<any Error>()
        let (open, path) = (open, folder.path)
        let shared = try open(path)
        DispatchQueue.concurrentPerform(iterations: writers) { writer in
            do {
                let store = sharingOneStore ? shared : try open(path)
                for number in 0..<times { try Self.count(up: store, as: UInt8(writer), UInt8(number)) }
            } catch {
                failures.append(error)
            }
        }
        if let error = failures.all.first { throw error }
        let store = sharingOneStore ? shared : try open(path)
        try expect(try store.revision() == UInt64(writers * times), "every change set is counted once")
        try expect(
            try store.value(.account, [1]) == [UInt8(writers * times)], "no change set was built on an old record")
        try expect(try store.all(.history).count == writers * times, "every change set's record is there")
    }

    /// Adds one to a counter, and starts over whenever someone else was first.
    private static func count(up store: any Store, as writer: UInt8, _ number: UInt8) throws {
        while true {
            var changes = ChangeSet(base: try store.revision())
            let value = try store.value(.account, [1])?.first ?? 0
            changes.changes = [
                .put(.account, key: [1], value: [value + 1]),
                // Long enough for a file of its own, if the store has such.
                .put(.history, key: [writer, number], value: [UInt8](repeating: value, count: 10_000)),
            ]
            do throws(StoreError) {
                _ = try store.commit(changes)
                return
            } catch {
                if error.code != .staleRevision { throw error }
            }
        }
    }

    func whatIsGoneLeavesTheFiles(_ folder: CheckFolder) throws {
        let store = try open(folder.path)
        func secret(_ number: Int, _ length: Int = 64) -> [UInt8] { CheckFolder.marked(number, length: length) }
        try store.apply([.put(.groupState, key: [1], value: secret(1)), .put(.keyPackage, key: [1], value: secret(2))])
        try expect(try folder.markedNumbers() == [1, 2], "values are found in the files: else this check says nothing")
        try store.apply([.put(.groupState, key: [1], value: secret(3))])
        try expect(try folder.markedNumbers() == [2, 3], "an overwritten value is gone from the files")
        try store.apply([.delete(.keyPackage, key: [1])])
        try expect(try folder.markedNumbers() == [3], "a deleted value is gone from the files")
        try store.apply([.put(.staged, key: [1, 1], value: secret(4, 50_000))])
        try store.apply([.deletePrefix(.staged, prefix: [1])])
        try expect(try folder.markedNumbers() == [3], "a large deleted value is gone from the files")

        // As the store grows and shrinks, its records move about in the files. A copy left behind would be found here.
        var random = Numbers(state: 1)
        var live: [[UInt8]: Int] = [[1]: 3]
        var next = 4
        for _ in 0..<60 {
            var changes: [ChangeSet.Change] = []
            for _ in 0..<random.below(40) {
                let key = [UInt8(random.below(256)), UInt8(random.below(4))]
                if random.below(5) < 3 {
                    next += 1
                    changes.append(.put(.groupState, key: key, value: secret(next, 16 + random.below(400))))
                    live[key] = next
                } else if random.below(20) == 0 {
                    changes.append(.deletePrefix(.groupState, prefix: [key[0]]))
                    live = live.filter { $0.key[0] != key[0] }
                } else {
                    changes.append(.delete(.groupState, key: key))
                    live[key] = nil
                }
            }
            // A change set without a deletion leaves nothing to erase.
            changes.append(.put(.account, key: [1], value: [UInt8(random.below(256))]))
            try store.apply(changes)
            try expect(
                try folder.markedNumbers() == Set(live.values), "the files hold the values that are there and no others"
            )
        }
    }
}

/// A list to which several threads add.
final class LockedList<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []

    func append(_ element: Element) { lock.withLock { elements.append(element) } }
    var all: [Element] { lock.withLock { elements } }
}
