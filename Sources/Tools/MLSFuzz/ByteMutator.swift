import MLS

/// Changes bytes without knowing what they mean, but pays attention to the lengths in front of vectors.
struct ByteMutator {
    let random: FuzzRandom
    /// To splice parts from.
    let seeds: [[UInt8]]

    func mutate(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...random.below(3) { change(&bytes) }
        return bytes
    }

    private func change(_ bytes: inout [UInt8]) {
        let place = random.below(bytes.count)
        switch random.below(9) {
        case _ where bytes.isEmpty: bytes = random.bytes(random.below(16))
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = random.element(of: Self.telling) ?? 0
        case 2: bytes.removeLast(random.below(min(bytes.count, 64)) + 1)
        case 3: bytes.append(contentsOf: random.bytes(random.below(16)))
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(32)))
        case 5: bytes.insert(contentsOf: random.bytes(1 + random.below(8)), at: place)
        case 6: repeatPart(of: &bytes, at: place)
        case 7: resizeVector(of: &bytes)
        default: splice(&bytes, at: place)
        }
    }

    /// Bytes at which codes and lengths change their meaning.
    private static let telling: [UInt8] = [0, 1, 2, 3, 4, 5, 0x3F, 0x40, 0x7F, 0x80, 0x84, 0xBF, 0xC0, 0xFF]

    private func repeatPart(of bytes: inout [UInt8], at place: Int) {
        let part = Array(bytes[place..<min(bytes.count, place + 1 + random.below(64))])
        for _ in 0..<1 + random.below(4) { bytes.insert(contentsOf: part, at: place) }
    }

    private func splice(_ bytes: inout [UInt8], at place: Int) {
        guard let other = random.element(of: seeds), !other.isEmpty else { return }
        let start = random.below(other.count)
        let part = other[start..<min(other.count, start + 1 + random.below(128))]
        let end = random.chance(oneIn: 2) ? place : min(bytes.count, place + part.count)
        bytes.replaceSubrange(place..<end, with: part)
    }

    /// Finds what may be a vector, cuts or lengthens it, or writes its length in another form.
    private func resizeVector(of bytes: inout [UInt8]) {
        for _ in 0..<16 {
            let place = random.below(bytes.count)
            var reader = TLSReader(bytes[place...])
            guard let content = try? reader.readOpaque(), !content.isEmpty else { continue }
            var changed = content
            var writer = TLSWriter()
            switch random.below(5) {
            case 0, 1:
                changed.removeLast(1 + random.below(content.count))
                writer.writeOpaque(changed)
            case 2, 3:
                changed += random.chance(oneIn: 2) ? content : random.bytes(1 + random.below(8))
                writer.writeOpaque(changed)
            default:
                // The same vector after a longer form of its length than it needs.
                if content.count < 0x40 { writer.write(UInt16(content.count) | 0x4000) }
                if content.count >= 0x40 { writer.write(UInt32(truncatingIfNeeded: content.count) | 0x8000_0000) }
                writer.writeRaw(content)
            }
            bytes.replaceSubrange(place..<place + reader.position, with: writer.bytes)
            return
        }
    }
}
