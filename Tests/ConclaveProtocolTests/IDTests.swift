import ConclaveProtocol
import Testing

/// An id is its sixteen bytes, however it is kept.
@Suite struct IDTests {
    private static func bytes(_ seed: UInt64) -> [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: (seed &* 0x9E37_79B9_7F4A_7C15) >> ($0 % 8 * 8) &+ $0 * seed) }
    }

    @Test func bytesAndTextComeBack() throws {
        for seed in 0..<200 as Range<UInt64> {
            let bytes = Self.bytes(seed)
            let id = try #require(ID(bytes))
            #expect(id.bytes == bytes)
            #expect(ID(text: id.description) == id)
            #expect(ID(high: id.high, low: id.low) == id)
        }
        #expect(ID(Array(0..<15)) == nil && ID(Array(0..<17)) == nil)
        #expect(ID(Array(0..<16))?.description == "00010203-0405-0607-0809-0a0b0c0d0e0f")
        #expect(ID.nobody.bytes == [UInt8](repeating: 0, count: 16))
    }

    @Test func theOrderIsThatOfTheBytes() throws {
        for seed in 0..<200 as Range<UInt64> {
            var (a, b) = (Self.bytes(seed), Self.bytes(seed + 1))
            // Also ids that differ only after some place.
            a.replaceSubrange(0..<Int(seed % 16), with: b[0..<Int(seed % 16)])
            let isBefore = try #require(ID(a)) < #require(ID(b))
            #expect(isBefore == a.lexicographicallyPrecedes(b))
            b = a
            let (first, second) = (try #require(ID(a)), try #require(ID(b)))
            #expect(!(first < second) && first == second)
        }
    }
}
