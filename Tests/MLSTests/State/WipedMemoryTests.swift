import Synchronization
import Testing

@testable import MLS

/// Secrets are zeroed when they are dropped, and no copies of them are left behind where they come from and go to.
///
/// The worlds have seeds of their own: what another test makes from the same seed would be found, too. And so would
/// what another search looks for at the same time, which is why only one runs at a time.
@Suite(.serialized) struct WipedMemoryTests {
    private static let mark: UInt8 = 0xA7

    /// A place in memory, and how many bytes of the mark are still there.
    private struct Place {
        var address: UInt = 0
        private var bytes = [UInt8](repeating: 0, count: size)

        static let size = 4096

        mutating func remains() -> Int {
            ProcessMemory.read(at: address, into: &bytes)
            return bytes.reduce(0) { $0 + ($1 == mark ? 1 : 0) }
        }
    }

    @Test func aSecretIsWipedWithItsLastReference() {
        var place = Place()
        do {
            let secret = Secret(count: Place.size) { (buffer: UnsafeMutableRawBufferPointer) in
                buffer.initializeMemory(as: UInt8.self, repeating: Self.mark)
                place.address = UInt(bitPattern: buffer.baseAddress)
            }
            let other = [secret]
            #expect(other.count == 1 && place.remains() == Place.size)
        }
        #expect(place.remains() < 64)
    }

    /// Tells where it has put what it gave away.
    private final class Telling: EntropySource {
        let address = Mutex<UInt>(0)

        func bytes(_ count: Int) -> [UInt8] {
            let drawn = [UInt8](repeating: mark, count: count)
            drawn.withUnsafeBytes { bytes in address.withLock { $0 = UInt(bitPattern: bytes.baseAddress) } }
            return drawn
        }
    }

    @Test func whatIsDrawnForASecretIsLeftNowhere() {
        var place = Place()
        let entropy = Telling()
        let secret = entropy.secret(Place.size)
        place.address = entropy.address.withLock { $0 }
        #expect(place.remains() < 64)
        #expect(secret.unwipedCopy == [UInt8](repeating: Self.mark, count: Place.size))
    }

    /// The complement of what a secret holds.
    private func inverted(_ secret: Secret) -> [UInt8] { secret.withUnsafeBytes { $0.map { ~$0 } } }

    /// Counts copies before something is done with secrets, and after.
    private func expectCopies(
        _ name: String, of secrets: [Secret], atMost more: Int, _ body: () throws -> Void
    ) throws {
        let questions = secrets.map(inverted)
        let before = ProcessMemory.count(ofAll: questions)
        #expect(before >= secrets.count)
        try body()
        let after = ProcessMemory.count(ofAll: questions)
        #expect(after <= before + more, "\(name): \(after) copies, \(before) before")
    }

    @Test func storingAGroupLeavesNoOtherCopies() throws {
        var world = try World(seed: 9_001, members: 9)
        let signer = world.clients[0].signer
        _ = try world.clients[0].group.proposeUpdate(signer: signer, entropy: world.entropy)
        let group = world.clients[0].group
        let own = try group.ownSecrets()
        let keys = ([own.privateTree.leafKey] + own.privateTree.nodeKeys.values).map(\.raw)
        let state = keys + [own.epoch.senderData, own.epoch.exporter, own.epoch.membership, own.epoch.initSecret]
        let pending = try #require(group.pendingProposals.first)
        let updateKey = try #require(pending.updateKey).raw
        // What is written is one more copy; what grew while it was written would be another.
        var written: [[UInt8]] = []
        written.reserveCapacity(8)
        // The sender data is in the record by itself, and among the secrets of the epoch.
        try expectCopies("the state", of: state, atMost: state.count + 1) {
            written.append(StateRecord(group).encoded)
        }
        try expectCopies("the private tree", of: keys, atMost: keys.count) {
            written.append(own.privateTree.serialized)
        }
        try expectCopies("a proposal", of: [updateKey], atMost: 1) { written.append(ProposalRecord(pending).encoded) }
        let staged = try world.commit([], by: 0)
        let next = try #require(staged.next).ownSecrets()
        let secrets = [next.privateTree.leafKey.raw, next.epoch.initSecret]
        // The record, which no one wipes, and the whole.
        try expectCopies("a staged commit", of: secrets, atMost: 2 * secrets.count) {
            written.append(staged.serialized())
        }
        #expect(written.count == 4)
    }

    @Test func restoringAGroupLeavesNoOtherCopies() throws {
        let world = try World(seed: 9_002, members: 9)
        let group = world.clients[0].group
        let own = try group.ownSecrets()
        let keys = ([own.privateTree.leafKey] + own.privateTree.nodeKeys.values).map(\.raw)
        let (state, tree) = (StateRecord(group).encoded, own.privateTree.serialized)
        try expectCopies("the state", of: keys + [own.epoch.initSecret], atMost: 0) {
            let read = try StateRecord(decoding: state, crypto: world.crypto)
            #expect(read.own != nil)
        }
        try expectCopies("the private tree", of: keys, atMost: 0) {
            let read = try PrivateTree(serialized: tree, crypto: world.crypto)
            #expect(read.ownLeaf == own.privateTree.ownLeaf)
        }
        let records = group.records()
        let nodes = Array(group.current.messageKeys.secretTree.nodes.values)
        try expectCopies("the whole", of: keys + nodes + [own.epoch.initSecret], atMost: 0) {
            let read = try Group.restore(records, crypto: world.crypto)
            #expect(read.isActive)
        }
    }

    @Test func aKeyPackagesKeysAreReadAndWrittenOnce() throws {
        var world = try World(seed: 9_003, members: 1)
        let bundle = try world.newBundle().bundle
        let keys = [bundle.initKey.raw, bundle.encryptionKey.raw]
        var serialized: [UInt8] = []
        try expectCopies("written", of: keys, atMost: 2) { serialized = bundle.serialized }
        try expectCopies("read", of: keys, atMost: 0) {
            let read = try KeyPackageBundle(serialized: serialized, crypto: world.crypto)
            #expect(read.keyPackage == bundle.keyPackage)
        }
    }
}
