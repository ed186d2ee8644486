import MLS
import Testing

@testable import struct MLS.Group

/// Bytes that are cut, changed, lengthened and made up, at every door of a group: an error each time, and the group as
/// it was.
struct HostileBytesTests {
    @Test func noChangedMessageIsRead() throws {
        var world = try World(members: 2)
        let message = try world.protect("hello", by: 1)
        let before = world.clients[0].group.records().map(\.value)
        checkRefused(message) { bytes in
            var group = world.clients[0].group
            _ = try group.unprotect(bytes)
        }
        #expect(world.clients[0].group.records().map(\.value) == before)
        #expect(try world.unprotect(message, by: 0).plaintext == Array("hello".utf8))
    }

    @Test(arguments: [false, true])
    func noChangedHandshakeIsTaken(encrypted: Bool) throws {
        var world = try World(members: 3)
        world.clients[1].group.configuration.handshakeEncryption = encrypted
        let newcomer = try world.newBundle().bundle.keyPackage
        let commit = try world.commit([.add(newcomer), .remove(LeafIndex(2))], by: 1).message
        let proposal = try world.clients[1].group.proposeUpdate(
            signer: world.clients[1].signer, entropy: world.entropy)
        for message in [commit, proposal] {
            checkRefused(message, step: 3) { try world.clients[0].group.process($0, now: World.now) }
            _ = try world.clients[0].group.process(message, now: World.now)
        }
    }

    @Test func noChangedWelcomeIsTaken() throws {
        var world = try World(members: 2)
        let (_, _, bundle) = try world.newBundle()
        let welcome = try #require(try world.commit([.add(bundle.keyPackage)], by: 0).welcome)
        checkRefused(welcome, step: 5) { bytes in
            try Group.join(welcome: bytes, bundles: [bundle], crypto: world.crypto, now: World.now)
        }
    }

    @Test func noChangedGroupInfoLetsAnybodyIn() throws {
        var world = try World(members: 2)
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer)
        let (_, signer) = try world.newIdentity()
        checkRefused(info, step: 5) { bytes in
            try Group.externalCommit(
                groupInfo: bytes, credential: .basic(identity: [1]), signer: signer, crypto: world.crypto,
                entropy: world.entropy)
        }
    }

    @Test func damagedRecordsAreRefusedOrGiveAGroupThatFailsGently() throws {
        var world = try World(members: 3)
        try world.deliver(try world.commit([], by: 0), from: 0)
        _ = try world.unprotect(try world.protect("hello", by: 1), by: 0)
        let message = try world.protect("again", by: 1)
        let commit = try world.commit([], by: 1).message
        let records = world.clients[0].group.records()
        for position in records.indices {
            for length in [0, records[position].value.count / 2, records[position].value.count - 1] {
                var damaged = records
                damaged[position].value = Array(records[position].value.prefix(length))
                expectError(.malformed) { try Group.restore(damaged, crypto: world.crypto) }
            }
            for place in stride(from: 0, to: records[position].value.count, by: 11) {
                var damaged = records
                damaged[position].value[place] ^= 0xFF
                do {
                    var group = try Group.restore(damaged, crypto: world.crypto)
                    // Neither may trap; whether they work depends on what was hit.
                    do { _ = try group.unprotect(message) } catch {}
                    do { _ = try group.process(commit, now: World.now) } catch {}
                } catch {
                    #expect(error.code == .malformed || error.code == .unsupported)
                }
            }
            var doubled = records
            doubled.append(records[position])
            expectError(.malformed) { try Group.restore(doubled, crypto: world.crypto) }
        }
        for key in [[], [0], Array("e1".utf8), Array("sx".utf8)] as [[UInt8]] {
            expectError(.malformed) { try Group.restore(records + [(key, [])], crypto: world.crypto) }
        }
        expectError(.malformed) { try Group.restore(records, crypto: suite(3)) }
        expectError(.malformed) { try Group.restore([], crypto: world.crypto) }
    }

    @Test func damagedStagedCommitsAreRefusedOrFailGently() throws {
        let world = try World(members: 2)
        let serialized = try world.commit([], by: 0).serialized()
        for end in stride(from: 0, to: serialized.count, by: 7) {
            #expect(throws: MLSError.self) {
                try StagedCommit(serialized: Array(serialized.prefix(end)), crypto: world.crypto)
            }
        }
        expectError(.malformed) { try StagedCommit(serialized: serialized + [0], crypto: world.crypto) }
        for place in stride(from: 0, to: serialized.count, by: 13) {
            var damaged = serialized
            damaged[place] ^= 0xFF
            guard let staged = try? StagedCommit(serialized: damaged, crypto: world.crypto) else { continue }
            var group = world.clients[0].group
            _ = try? group.merge(staged)
        }
    }

    @Test func noiseIsRefusedAtEveryDoor() throws {
        let world = try World(members: 2)
        let (_, signer) = try {
            var world = world; return try world.newIdentity()
        }()
        for round in 0..<400 {
            var noise = world.entropy.bytes(world.entropy.below(300))
            // Half of it looks like a message for a while.
            if round % 2 == 0 { noise = [0, 1, 0, UInt8(1 + round / 2 % 5)] + noise }
            var group = world.clients[0].group
            #expect(throws: MLSError.self) { try group.unprotect(noise) }
            #expect(throws: MLSError.self) { try group.process(noise, now: World.now) }
            #expect(throws: MLSError.self) {
                try Group.join(welcome: noise, bundles: [], crypto: world.crypto, now: World.now)
            }
            #expect(throws: MLSError.self) {
                try Group.externalCommit(
                    groupInfo: noise, credential: .basic(identity: [1]), signer: signer, crypto: world.crypto,
                    entropy: world.entropy)
            }
            #expect(throws: MLSError.self) { try StagedCommit(serialized: noise, crypto: world.crypto) }
        }
    }

    @Test func framedTypesReadBackWhatTheyWrite() throws {
        var world = try World(members: 2)
        let staged = try world.commit([.add(try world.newBundle().bundle.keyPackage)], by: 0)
        for message in [staged.message, try #require(staged.welcome), try world.protect("x", by: 0)] {
            try checkMutations(of: message, as: MLSMessage.self, step: 4)
        }
        checkNoise(as: MLSMessage.self)
        checkNoise(as: Proposal.self)
        checkNoise(as: Commit.self)
    }

    /// Every cut, some changes, and one byte too many.
    private func checkRefused(_ message: [UInt8], step: Int = 1, _ open: ([UInt8]) throws -> some Any) {
        for end in stride(from: 0, to: message.count, by: step) {
            #expect(throws: MLSError.self, "cut at \(end)") { try open(Array(message.prefix(end))) }
        }
        for place in stride(from: 0, to: message.count, by: step) {
            var changed = message
            changed[place] ^= place % 2 == 0 ? 0x01 : 0xFF
            #expect(throws: MLSError.self, "changed at \(place)") { try open(changed) }
        }
        #expect(throws: MLSError.self, "a byte too many") { try open(message + [0]) }
    }
}
