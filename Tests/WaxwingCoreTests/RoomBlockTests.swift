import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// How the members of large rooms are kept.
@Suite struct RoomBlockTests {
    private let group = ID([UInt8](repeating: 7, count: 16))!

    private func leaf(_ index: UInt32) -> RoomRecord.Leaf {
        let bytes = withUnsafeBytes(of: index.bigEndian) { Array($0) }
        return RoomRecord.Leaf(
            index: index, user: ID([UInt8](repeating: 1, count: 12) + bytes)!, key: bytes,
            digest: bytes + bytes + bytes
                + bytes + bytes + bytes + bytes + bytes, way: .added, by: nil, standing: .accepted, objection: .none,
            epoch: 3, since: 5, isNew: false)
    }

    private func write(_ store: MemoryStore, _ change: (inout Draft) throws -> Void) throws -> Int {
        var draft = Draft(store: store, base: store.revision())
        try change(&draft)
        let count = draft.changes.changes.count
        if count > 0 { _ = try store.commit(draft.changes) }
        return count
    }

    private func read(_ store: MemoryStore) throws -> RoomRecord? { try AccountReader(store: store).room(group) }

    @Test func onlyWhatChangedIsWritten() throws {
        let store = MemoryStore()
        var room = RoomRecord()
        room.trust = .strict
        room.leaves = (0..<1_000).map { leaf($0 * 2) }
        #expect(try write(store) { try $0.put(room, for: group) } > 30)
        #expect(try read(store) == room)
        #expect(try write(store) { try $0.put(room, for: group) } == 0)
        room.leaves[400].standing = .held
        #expect(try write(store) { try $0.put(room, for: group) } == 1)
        room.leaves.append(leaf(5_000))
        room.leaves.remove(at: 2)
        #expect(try write(store) { try $0.put(room, for: group) } == 2)
        #expect(try read(store) == room)
        // A block that is empty is deleted.
        room.leaves.removeLast()
        room.trust = nil
        #expect(try write(store) { try $0.put(room, for: group) } == 2)
        #expect(try read(store) == room)
        room.leaves = []
        _ = try write(store) { try $0.put(room, for: group) }
        #expect(try read(store) == room)
    }

    /// In one piece, as earlier versions kept it.
    @Test(arguments: [true, false])
    func oneInOnePieceIsReadAndWrittenAnew(byReading: Bool) throws {
        let store = MemoryStore()
        var room = RoomRecord()
        room.leaves = (0..<200).map { leaf($0) }
        _ = try write(store) { $0.put(.membership, Keys.room(group), room) }
        #expect(try read(store) == room)
        if !byReading { room.leaves[3].standing = .untold }
        _ = try write(store) { draft in
            if byReading { try draft.remember(room, of: group) } else { try draft.put(room, for: group) }
        }
        #expect(store.content[.membership]?[Keys.room(group)] == nil)
        #expect(try read(store) == room)
        room.leaves[100].isNew = true
        #expect(try write(store) { try $0.put(room, for: group) } == 1)
        #expect(try read(store) == room)
    }
}
