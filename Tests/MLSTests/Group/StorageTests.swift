import Testing

@testable import MLS

struct StorageTests {
    @Test func aCommitStoresTheTreeAboveItsLeafOnly() throws {
        var world = try World(members: 3)
        var group = world.clients[0].group
        let staged = try group.commit([], signer: world.clients[0].signer, now: nil, entropy: world.entropy)
        try group.merge(staged)
        let tree = group.takeStateChanges().filter { change in
            if case .put(let key, _) = change { key.first == UInt8(ascii: "t") } else { false }
        }
        #expect(tree.count == 1)
        // A staged commit that comes from the store does not know what it changed, but needs nothing of that.
        try world.clients[1].merge(
            StagedCommit(serialized: world.staged(staged, by: 1).serialized(), crypto: world.crypto))
    }

    @Test func aGroupWithoutOneOfItsRecordsIsNotRestored() throws {
        let world = try World(members: 20)
        let records = world.clients[0].group.records()
        for record in records where [UInt8(ascii: "s"), UInt8(ascii: "t")].contains(record.key[0]) {
            let rest = records.filter { $0.key != record.key }
            expectError(.malformed) { try Group.restore(rest, crypto: world.crypto) }
        }
    }

    @Test func aCommitNeedNotMakeAGroupInfo() throws {
        let world = try World(members: 3)
        var group = world.clients[0].group
        let signer = world.clients[0].signer
        let staged = try group.commit(
            [], withGroupInfo: false, signer: signer, now: nil, entropy: world.entropy)
        #expect(staged.groupInfo == nil)
        let info = try #require(staged.next).groupInfo(signer: signer)
        guard case .groupInfo(let info) = try MLSMessage(decoding: info) else {
            Issue.record("not a GroupInfo")
            return
        }
        #expect(info.confirmationTag == staged.confirmationTag)
    }

    /// What stands in for the fields' own encoding is what they would encode to.
    @Test func aLeafNodeHasOneEncodingOnly() throws {
        let leaf = try #require(World(members: 2).clients[0].group.current.tree[LeafIndex(0)])
        var bytes = leaf.bytes
        for place in bytes.indices {
            for change in [0x01, 0x80, 0xFF] as [UInt8] {
                bytes[place] = leaf.bytes[place] ^ change
                // Most changes are refused.
                if let changed = try? LeafNode(decoding: bytes) { #expect(encodedFields(changed) == bytes) }
            }
            bytes[place] = leaf.bytes[place]
        }
        #expect(encodedFields(leaf) == leaf.bytes)
    }

    private func encodedFields(_ leaf: LeafNode) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeOpaque(leaf.encryptionKey)
        writer.writeOpaque(leaf.signatureKey)
        writer.write(leaf.credential)
        writer.write(leaf.capabilities)
        writer.write(leaf.source)
        writer.writeVector(leaf.extensions)
        writer.writeOpaque(leaf.signature)
        return writer.bytes
    }
}

extension World {
    /// What a client makes of another's commit.
    fileprivate func staged(_ commit: StagedCommit, by reader: Int) throws -> StagedCommit {
        guard case .commit(let received) = try clients[reader].group.process(commit.message, now: World.now) else {
            throw MLSError(.malformed, "a commit is none")
        }
        return received
    }
}
