import WaxwingCore

/// Records of the sizes that a client's records have.
enum Sample {
    /// What is in the store for a group with a few members: the group, its members, its keys, and its last messages.
    static func group(_ number: Int) -> [ChangeSet.Change] {
        let id = id(number)
        var changes: [ChangeSet.Change] = [
            .put(.group, key: id, value: bytes(220, number)), .put(.membership, key: id, value: bytes(180, number)),
            .put(.groupState, key: id + [0], value: bytes(1800, number)),
        ]
        for sender in 0..<3 as Range<UInt8> {
            changes.append(.put(.groupState, key: id + [1, sender], value: bytes(120, number)))
        }
        for sequence in 0..<10 { changes += message(sequence, group: number, isTaken: false) }
        return changes
    }

    /// A message moves from the inbox to the history: 6 records.
    static func message(_ sequence: Int, group number: Int, isTaken: Bool = true) -> [ChangeSet.Change] {
        let (id, place) = (id(number), keyBytes(UInt64(sequence)))
        var changes: [ChangeSet.Change] = [
            .put(.history, key: id + [0, 0, 0, 0] + place, value: bytes(180, sequence)),
            .put(.seen, key: id + [0] + bytes(32, sequence &* 31 &+ number), value: bytes(12, sequence)),
            .put(.seen, key: id + [1] + bytes(32, sequence &* 37 &+ number), value: bytes(12, sequence)),
        ]
        if isTaken {
            changes += [
                .put(.group, key: id, value: bytes(220, sequence)),
                .put(.groupState, key: id + [1, UInt8(sequence % 3)], value: bytes(120, sequence)),
                .put(.account, key: [1], value: place),
            ]
        }
        return changes
    }

    /// Bytes of keys and values in one change set of a message.
    static let payload = message(0, group: 0).reduce(0) { sum, change in
        guard case .put(_, let key, let value) = change else { return sum }
        return sum + key.count + value.count
    }

    static func id(_ number: Int) -> [UInt8] { bytes(16, number) }

    /// Bytes that cannot be compressed; the same number always gives the same bytes.
    private static func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
        var state = UInt64(truncatingIfNeeded: seed) &+ 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    private static func keyBytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
}
