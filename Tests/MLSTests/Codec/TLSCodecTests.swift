import MLS
import Testing

struct TLSCodecTests {
    @Test func lengthsTakeTheirShortestForm() throws {
        let cases: [(Int, [UInt8])] = [
            (0, [0x00]), (63, [0x3F]), (64, [0x40, 0x40]), (16_383, [0x7F, 0xFF]), (16_384, [0x80, 0x00, 0x40, 0x00]),
            (Limits.vectorLength, [0x84, 0x00, 0x00, 0x00]),
        ]
        for (length, bytes) in cases {
            var writer = TLSWriter()
            writer.writeLength(length)
            #expect(writer.bytes == bytes)
            var reader = TLSReader(bytes)
            #expect(try reader.readLength() == length)
        }
    }

    @Test func otherLengthsAreRefused() {
        let cases: [(MLSError.Code, [UInt8])] = [
            (.malformed, []), (.malformed, [0x40]), (.malformed, [0x40, 0x3F]), (.malformed, [0x80, 0x00, 0x3F, 0xFF]),
            (.malformed, [0x80, 0x00, 0x40]), (.malformed, [0xC0]), (.malformed, [0xFF, 0xFF, 0xFF, 0xFF]),
            (.tooLarge, [0x84, 0x00, 0x00, 0x01]), (.tooLarge, [0xBF, 0xFF, 0xFF, 0xFF]),
        ]
        for (code, bytes) in cases {
            var reader = TLSReader(bytes)
            expectError(code, "\(bytes)") { try reader.readLength() }
        }
    }

    @Test func announcedBytesMustBeThere() {
        let cut: [[UInt8]] = [[], [1], [5, 1, 2, 3, 4], [0x40, 0x40, 0], [0x84, 0, 0, 0]]
        for bytes in cut {
            var opaque = TLSReader(bytes)
            expectError(.malformed, "\(bytes)") { try opaque.readOpaque() }
            var vector = TLSReader(bytes)
            expectError(.malformed, "\(bytes)") { try vector.readSubReader() }
        }
        var raw = TLSReader([1, 2])
        expectError(.malformed) { try raw.readRaw(-1) }
        expectError(.malformed) { try raw.readRaw(.max) }
        #expect(raw.remaining == 2)
    }

    @Test func integersAreBigEndian() throws {
        var writer = TLSWriter()
        writer.write(UInt8(0x01))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(UInt64(0x0809_0A0B_0C0D_0E0F))
        #expect(writer.bytes == Array(1...15))
        var reader = TLSReader(writer.bytes)
        #expect(try reader.read(UInt8.self) == 0x01)
        #expect(try reader.read(UInt16.self) == 0x0203)
        #expect(try reader.read(UInt32.self) == 0x0405_0607)
        #expect(try reader.read(UInt64.self) == 0x0809_0A0B_0C0D_0E0F)
        expectError(.malformed) { try reader.read(UInt8.self) }
    }

    @Test func optionalsArePresentOrAbsentAndNothingElse() throws {
        for (bytes, value) in [([0], nil), ([1, 0, 7], ExtensionType(7))] as [([UInt8], ExtensionType?)] {
            var reader = TLSReader(bytes)
            #expect(try reader.readOptional(ExtensionType.self) == value)
            var writer = TLSWriter()
            writer.writeOptional(value)
            #expect(writer.bytes == bytes)
        }
        for bytes in [[], [2], [0xFF, 0, 7], [1, 0]] as [[UInt8]] {
            var reader = TLSReader(bytes)
            expectError(.malformed, "\(bytes)") { try reader.readOptional(ExtensionType.self) }
        }
    }

    @Test func elementsFillTheirVectorExactly() throws {
        var reader = TLSReader([4, 0, 1, 0, 2, 9])
        #expect(try reader.readVector(of: ExtensionType.self) == [ExtensionType(1), ExtensionType(2)])
        #expect(reader.remaining == 1)
        // The last element must not reach beyond the vector, though the bytes are there.
        var short = TLSReader([3, 0, 1, 0, 2, 9])
        expectError(.malformed) { try short.readVector(of: ExtensionType.self) }
    }

    @Test func elementsOfNoBytesDoNotLoop() {
        struct Nothing: TLSDecodable {
            init(from reader: inout TLSReader) {}
        }
        var reader = TLSReader([1, 0])
        expectError(.malformed) { try reader.readVector(of: Nothing.self) }
    }
}
