import Synchronization
import Testing

@testable import MLS

/// Secrets are zeroed when they are dropped, and no copies of them are left behind where they come from and go to.
///
/// The worlds have seeds of their own: what another test makes of the same seed would be found, too.
struct WipedMemoryTests {
    private static let mark: UInt8 = 0xA7

    /// How many bytes of the mark are still at a place, which may belong to somebody else by now.
    private func remains(at address: UInt, count: Int) -> Int {
        ProcessMemory.read(at: address, count: count)?.filter { $0 == Self.mark }.count ?? 0
    }

    @Test func aSecretIsWipedWithItsLastReference() {
        var address: UInt = 0
        do {
            let secret = Secret(count: 4096) { (buffer: UnsafeMutableRawBufferPointer) in
                buffer.initializeMemory(as: UInt8.self, repeating: Self.mark)
                address = UInt(bitPattern: buffer.baseAddress)
            }
            let other = [secret]
            #expect(other.count == 1 && remains(at: address, count: 4096) == 4096)
        }
        #expect(remains(at: address, count: 4096) < 64)
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
        let entropy = Telling()
        let secret = entropy.secret(4096)
        #expect(remains(at: entropy.address.withLock { $0 }, count: 4096) < 64)
        #expect(secret.unwipedCopy == [UInt8](repeating: Self.mark, count: 4096))
    }

    /// The complement of what a secret holds.
    private func inverted(_ secret: Secret) -> [UInt8] { secret.withUnsafeBytes { $0.map { ~$0 } } }

    @Test func storingAGroupLeavesNoOtherCopies() throws {
        var world = try World(seed: 9_001, members: 9)
        let signer = world.clients[0].signer
        _ = try world.clients[0].group.proposeUpdate(signer: signer, entropy: world.entropy)
        let group = world.clients[0].group
        let own = try group.ownSecrets()
        let updateKey = try #require(group.pendingProposals.first?.updateKey)
        // The last that is written of each kind is the one that what grows would leave behind first.
        for (name, secret) in [
            ("the init secret", own.epoch.initSecret), ("the leaf key", own.privateTree.leafKey.raw),
            ("the sender data secret", group.current.messageKeys.senderData), ("an Update's key", updateKey.raw),
        ] {
            let question = inverted(secret)
            let before = try ProcessMemory.count(of: question)
            let records = group.records()
            let after = try ProcessMemory.count(of: question)
            #expect(after <= before + 1, "\(name): \(after) copies, \(before) before")
            withExtendedLifetime(records) {}
        }
    }

    @Test func restoringAGroupLeavesNoOtherCopies() throws {
        let world = try World(seed: 9_002, members: 5)
        let crypto = world.crypto
        func stored() throws -> (records: [(key: [UInt8], value: [UInt8])], questions: [(String, [UInt8])]) {
            let group = world.clients[0].group
            let own = try group.ownSecrets()
            let node = try #require(group.current.messageKeys.secretTree.nodes.values.first)
            return (
                group.records(),
                [
                    ("the init secret", inverted(own.epoch.initSecret)),
                    ("the leaf key", inverted(own.privateTree.leafKey.raw)), ("a tree secret", inverted(node)),
                ]
            )
        }
        let (records, questions) = try stored()
        for (name, question) in questions {
            let before = try ProcessMemory.count(of: question)
            #expect(before > 0)
            do {
                let group = try Group.restore(records, crypto: crypto)
                #expect(group.isActive)
            }
            let after = try ProcessMemory.count(of: question)
            #expect(after <= before, "\(name): \(after) copies, \(before) before")
        }
    }

    @Test func aKeyPackagesKeysAreReadAndWrittenOnce() throws {
        let bundle = try World(seed: 9_003, members: 1).withNewBundle()
        for (name, question) in [("init", inverted(bundle.initKey.raw)), ("leaf", inverted(bundle.encryptionKey.raw))] {
            let before = try ProcessMemory.count(of: question)
            let serialized = bundle.serialized
            #expect(try ProcessMemory.count(of: question) <= before + 1, "\(name) key, written")
            do {
                let read = try KeyPackageBundle(serialized: serialized, crypto: suite(1))
                #expect(read.keyPackage == bundle.keyPackage)
            }
            #expect(try ProcessMemory.count(of: question) <= before + 1, "\(name) key, read")
            withExtendedLifetime(serialized) {}
        }
    }
}

extension World {
    fileprivate func withNewBundle() throws -> KeyPackageBundle {
        var world = self
        return try world.newBundle().bundle
    }
}
