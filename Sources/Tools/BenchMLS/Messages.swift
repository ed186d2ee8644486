import MLS

/// The rows of application messages.
extension Operations {
    func messageRows(_ sample: SampleGroup) throws -> [Row] {
        try [(64, "64 B"), (1024, "1 KiB")].flatMap { length, name in
            let plaintext = entropy.bytes(length)
            return try [
                first("protect \(name), first", sample, plaintext),
                following("protect \(name), following", sample, plaintext, saving: false),
                firstReceived("unprotect \(name), first", sample, plaintext),
                followingReceived("unprotect \(name), following", sample, plaintext, saving: false),
            ]
        } + [
            following("protect and save 1 KiB", sample, entropy.bytes(1024), saving: true),
            followingReceived("unprotect and save 1 KiB", sample, entropy.bytes(1024), saving: true),
        ]
    }

    private static let batch = 16

    private func floor(_ seals: Bool, _ message: [UInt8], length: Int, depth: Int?) -> Floor {
        var floor = Floor()
        // What is signed: the plaintext, and the group context and framing around it.
        let signed = length + 160
        // What is sealed: the plaintext with its signature, padded; and 12 bytes of sender data.
        let sealed = message.count - message.count % 256
        if seals {
            floor.add(.sign(signed))
            floor.add(.seal(sealed))
            floor.add(.seal(12))
        } else {
            floor.add(.verify(signed))
            floor.add(.open(sealed))
            floor.add(.open(12))
        }
        floor.message(depth: depth)
        return floor
    }

    private func depth(_ sample: SampleGroup) -> Int { TreeSize(leaves: UInt32(sample.size)).root?.level ?? 0 }

    /// Each runs in a copy of the group that has not sent anything.
    private func first(_ name: String, _ sample: SampleGroup, _ plaintext: [UInt8]) throws -> Row {
        let left = sample.left
        var once = left.group
        let message = try once.protect(plaintext, signer: left.signer, entropy: entropy)
        return Row(
            name, floor: floor(true, message, length: plaintext.count, depth: depth(sample)), bytes: message.count,
            repeats: Self.batch
        ) {
            var groups = Array(repeating: left.group, count: Self.batch)
            return try Clock.thread.seconds {
                for index in groups.indices {
                    _ = try groups[index].protect(plaintext, signer: left.signer, entropy: entropy)
                }
            }
        }
    }

    private func following(
        _ name: String, _ sample: SampleGroup, _ plaintext: [UInt8], saving: Bool
    ) throws -> Row {
        var group = sample.left.group
        let message = try group.protect(plaintext, signer: sample.left.signer, entropy: entropy)
        _ = group.takeStateChanges()
        return Row(
            name, floor: floor(true, message, length: plaintext.count, depth: nil), bytes: message.count,
            repeats: Self.batch
        ) {
            try Clock.thread.seconds {
                for _ in 0..<Self.batch {
                    _ = try group.protect(plaintext, signer: sample.left.signer, entropy: entropy)
                    if saving { _ = group.takeStateChanges() }
                }
            }
        }
    }

    private func firstReceived(_ name: String, _ sample: SampleGroup, _ plaintext: [UInt8]) throws -> Row {
        var sender = sample.left.group
        let message = try sender.protect(plaintext, signer: sample.left.signer, entropy: entropy)
        return Row(
            name, floor: floor(false, message, length: plaintext.count, depth: depth(sample)), repeats: Self.batch
        ) {
            var groups = Array(repeating: sample.right.group, count: Self.batch)
            return try Clock.thread.seconds {
                for index in groups.indices { _ = try groups[index].unprotect(message) }
            }
        }
    }

    private func followingReceived(
        _ name: String, _ sample: SampleGroup, _ plaintext: [UInt8], saving: Bool
    ) throws -> Row {
        var sender = sample.left.group
        var receiver = sample.right.group
        let message = try sender.protect(plaintext, signer: sample.left.signer, entropy: entropy)
        _ = try receiver.unprotect(message)
        _ = receiver.takeStateChanges()
        return Row(
            name, floor: floor(false, message, length: plaintext.count, depth: nil), repeats: Self.batch
        ) {
            var messages: [[UInt8]] = []
            for _ in 0..<Self.batch {
                messages.append(try sender.protect(plaintext, signer: sample.left.signer, entropy: entropy))
            }
            return try Clock.thread.seconds {
                for message in messages {
                    _ = try receiver.unprotect(message)
                    if saving { _ = receiver.takeStateChanges() }
                }
            }
        }
    }
}
