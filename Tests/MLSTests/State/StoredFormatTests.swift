import Testing

@testable import MLS

/// Stored records that do not fit each other, or are of an unknown format.
struct StoredFormatTests {
    private typealias Records = [[UInt8]: [UInt8]]

    /// A group in epoch 2 with a past epoch, a pending proposal and message keys.
    private static func records() throws -> (Records, any SuiteCrypto) {
        var world = try World(members: 3)
        _ = try world.unprotect(try world.protect("one", by: 1), by: 0)
        try world.deliver(try world.commit([], by: 1), from: 1)
        try world.propose(.remove(LeafIndex(2)), by: 1)
        return (world.clients[0].records, world.crypto)
    }

    private static func key(_ record: RecordKey) -> [UInt8] { record.encoded }

    /// The only block of such a small tree.
    private static let tree = RecordKey.tree(TreeBlock(tier: 0, number: 0))

    private static let rows: [(String, MLSError.Code, @Sendable (inout [[UInt8]: [UInt8]]) -> Void)] = [
        ("a later format", .unsupported, { $0[key(.state)]?[1] = 9 }),
        ("no state", .malformed, { $0[key(.state)] = nil }),
        ("no tree", .malformed, { $0[key(tree)] = nil }),
        ("a tree of too few nodes", .malformed, { $0[key(tree)] = [1, 0] }),
        ("a past epoch that is not past", .malformed, { $0[key(.pastEpoch(2))] = $0[key(.pastEpoch(1))] }),
        (
            "a past epoch of three leaves", .malformed,
            { records in
                guard var value = records[key(.pastEpoch(1))] else { return }
                var reader = TLSReader(value)
                // If the context cannot be read, the record is not what it was.
                guard (try? reader.readOpaque()) != nil else { return }
                value[reader.position + 3] = 3
                records[key(.pastEpoch(1))] = value
            }
        ),
        ("a proposal twice", .malformed, { $0[key(.proposal(1))] = $0[key(.proposal(0))] }),
        (
            "a proposal that is aside without the mark", .malformed,
            { $0[key(.asideProposal(ProposalRef([1])))] = $0[key(.proposal(0))] }
        ),
        ("another form of what is aside", .unsupported, { $0[key(.asideMark)] = [9] }),
        (
            "a proposal under another's name", .malformed,
            { records in
                records[key(.asideMark)] = [1]
                records[key(.asideProposal(ProposalRef([1])))] = records[key(.proposal(0))]
            }
        ),
        (
            "keys of an epoch that is not there", .malformed,
            { $0[key(.node(7, NodeIndex(0)))] = [32] + [UInt8](repeating: 1, count: 32) }
        ),
        (
            "a node outside of the tree", .malformed,
            { $0[key(.node(2, NodeIndex(.max)))] = [32] + [UInt8](repeating: 1, count: 32) }
        ),
        ("a secret that is too short", .malformed, { $0[key(.node(2, NodeIndex(1)))] = [1, 1] }),
        ("a record that does not end", .malformed, { $0[key(tree)]?.append(0) }),
    ]

    @Test(arguments: rows.indices)
    func recordsThatDoNotFitAreRefused(index: Int) throws {
        let (wrong, code, change) = Self.rows[index]
        let (whole, crypto) = try Self.records()
        func restore(_ records: Records) throws -> Group {
            try Group.restore(records.map { ($0.key, $0.value) }, crypto: crypto)
        }
        #expect(try restore(whole).epoch == 2)
        var changed = whole
        change(&changed)
        #expect(changed != whole)
        expectError(code, wrong) { try restore(changed) }
    }

    @Test func stagedCommitsOfAnotherFormatOrGroupAreRefused() throws {
        let world = try World(members: 2)
        let stored = try world.commit([], by: 0).serialized()
        func read(_ bytes: [UInt8]) throws -> StagedCommit { try StagedCommit(serialized: bytes, crypto: world.crypto) }
        #expect(try read(stored).serialized() == stored)
        for version in [0, 1, 3] as [UInt8] {
            var changed = stored
            changed[1] = version
            expectError(.unsupported, "version \(version)") { try read(changed) }
        }
        var reader = TLSReader(stored)
        let _: UInt16 = try reader.read()
        _ = try reader.readOpaque()
        for _ in 0..<2 { _ = try reader.readOptionalOpaque() }
        _ = try reader.readOpaque()
        var changed = stored
        // The last byte of the group's id, which the next group has too.
        changed[reader.position - 1] ^= 1
        expectError(.malformed, "another group's next") { try read(changed) }
    }

    @Test func privateKeysOfAnotherFormatAreRefused() throws {
        let world = try World(members: 2)
        let stored = try world.clients[0].group.ownSecrets().privateTree.serialized
        #expect(try PrivateTree(serialized: stored, crypto: world.crypto).serialized == stored)
        expectError(.unsupported) { try PrivateTree(serialized: [9] + stored.dropFirst(), crypto: world.crypto) }
    }
}
