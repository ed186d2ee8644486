import MLS

/// Makes new inputs for a door out of valid ones: by changing bytes, and by swapping the parts of messages.
public struct Mutator: Sendable {
    /// The inputs it starts from.
    public let seeds: [[UInt8]]
    private let parts: MessageParts

    /// - Parameter foreign: more messages to start from and to take parts from, such as those of test vectors.
    public init(door: FuzzDoor, target: FuzzTarget, foreign: [[UInt8]] = []) throws(MLSError) {
        seeds = try target.seeds(for: door) + foreign.map { [0] + $0 }
        var messages = foreign
        for door in FuzzDoor.allCases { messages += try target.seeds(for: door).map { Array($0.dropFirst()) } }
        parts = MessageParts(messages: messages)
    }

    /// An input made from a seed.
    public func next(random: FuzzRandom) -> [UInt8] {
        var input = random.element(of: seeds) ?? []
        for _ in 0...random.below(4) { input = mutate(input, random: random) }
        return input
    }

    /// An input made from one that has proved interesting.
    public func mutate(_ input: [UInt8], random: FuzzRandom) -> [UInt8] {
        if !random.chance(oneIn: 3), let choice = input.first,
            let changed = mutateMessage(Array(input.dropFirst()), random: random)
        {
            return [choice] + changed
        }
        return ByteMutator(random: random, seeds: seeds).mutate(input)
    }

    /// Nil for anything but a message.
    private func mutateMessage(_ bytes: [UInt8], random: FuzzRandom) -> [UInt8]? {
        guard let message = try? MLSMessage(decoding: bytes) else { return nil }
        let mutator = MessageMutator(
            random: random, parts: parts, crypto: TransparentCrypto(hashesAreEqual: false))
        // If a change cannot be made, the bytes are changed instead.
        return (try? mutator.mutate(message))?.encoded
    }
}
