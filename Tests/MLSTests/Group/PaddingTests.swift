import MLS
import Testing

/// How long messages become is the sender's choice, and readers notice nothing of it.
struct PaddingTests {
    private func length(padding: Int, block: Int, in world: inout World) throws -> Int {
        world.clients[0].group.configuration.padding = padding
        world.clients[0].group.configuration.paddingBlock = block
        let message = try world.protect("hello", by: 0)
        #expect(try world.unprotect(message, by: 1).plaintext == Array("hello".utf8))
        guard case .privateMessage(let sealed) = try MLSMessage(decoding: message) else {
            throw MLSError(.malformed, "not a PrivateMessage")
        }
        return sealed.ciphertext.count
    }

    @Test func paddingAddsExactlyAsManyBytes() throws {
        var world = try World(members: 2)
        let bare = try length(padding: 0, block: 0, in: &world)
        for padding in [1, 7, 255, 256, 100_000] {
            #expect(try length(padding: padding, block: 0, in: &world) == bare + padding)
        }
        let block = try length(padding: 0, block: 512, in: &world)
        #expect(try length(padding: 10, block: 512, in: &world) == block + 10)
    }

    @Test func handshakeMessagesArePaddedToo() throws {
        var world = try World(members: 2)
        world.clients[0].group.configuration.handshakeEncryption = true
        world.clients[0].group.configuration.paddingBlock = 0
        let bare = try world.commit([], by: 0)
        world.clients[0].group.configuration.padding = 5000
        let padded = try world.commit([], by: 0)
        #expect(padded.message.count > bare.message.count + 4900)
        try world.deliver(padded, from: 0)
        try world.expectAgreement()
    }

    @Test(arguments: [Limits.vectorLength, .max])
    func paddingThatDoesNotFitIsRefusedAndChangesNothing(padding: Int) throws {
        var world = try World(members: 2)
        world.clients[0].group.configuration.padding = padding
        expectError(.tooLarge) { try world.protect("hello", by: 0) }
        world.clients[0].group.configuration.padding = 0
        let message = try world.protect("hello", by: 0)
        #expect(try world.unprotect(message, by: 1).generation == 0)
    }

    @Test(arguments: [Limits.paddingBlock + 1, 1 << 32, .max])
    func blocksThatAreTooLargeTakeNoMemory(block: Int) throws {
        var world = try World(members: 2)
        let staged = try world.commit([], by: 0)
        world.clients[0].group.configuration.paddingBlock = block
        expectError(.tooLarge) { try world.protect("hello", by: 0) }
        // Nor do they come back from a store that has been tampered with.
        var bytes = staged.serialized()
        let kept: [UInt8] = [0, 0, 1, 0, 0, 0, 0, UInt8(Limits.pastEpochs)]
        let places = (0...bytes.count - kept.count).filter { Array(bytes[$0..<$0 + kept.count]) == kept }
        #expect(places.count == 1)
        for place in places { bytes.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0xFF, 0xFF]) }
        expectError(.malformed) { try StagedCommit(serialized: bytes, crypto: world.crypto) }
    }

    @Test func theLargestBlockIsFilled() throws {
        var world = try World(members: 2)
        #expect(try length(padding: 0, block: Limits.paddingBlock, in: &world) == Limits.paddingBlock + 16)
    }

    @Test func whatIsNoLengthAddsNothing() throws {
        var world = try World(members: 2)
        let bare = try length(padding: 0, block: 0, in: &world)
        #expect(try length(padding: -5, block: -5, in: &world) == bare)
    }
}
