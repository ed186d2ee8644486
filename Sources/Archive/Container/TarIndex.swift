/// Where the files of an archive lie in its content.
struct TarIndex {
    struct Place: Hashable {
        var offset: UInt64
        var size: UInt64
    }

    private(set) var places: [ArchiveFile: Place] = [:]

    /// Small files are read as a whole, if they are no larger than this; in bytes.
    static let smallMax: UInt64 = 64 << 20

    /// Goes from header to header.
    ///
    /// - Throws: `notAnArchive` where a file is missing, another one is there, or their order is another.
    init(_ content: any Content) throws(ArchiveError) {
        var offset: UInt64 = 0
        var expected = ArchiveFile.allCases[...]
        // Notes for tar itself may stand between the files.
        var notes = 0
        while let file = expected.first {
            let header = try content.bytes(at: offset, Tar.block)
            guard Self.isWhole(header) else { throw Self.foreign("it holds no \(file.rawValue) where it should be") }
            let size = try Self.size(header)
            let start = offset + UInt64(Tar.block)
            let (end, isTooLarge) = (start + size).addingReportingOverflow(UInt64(Tar.block - 1))
            guard size < 1 << 50, !isTooLarge else { throw Self.foreign("a file in it is too large") }
            offset = end / UInt64(Tar.block) * UInt64(Tar.block)
            switch header[156] {
            case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "5"):
                notes += 1
                guard notes <= 32, size <= 1 << 16 else { throw Self.foreign("it holds too many notes of tar") }
                continue
            case UInt8(ascii: "0"), 0: break
            default: throw Self.foreign("it holds something that is no file")
            }
            var name = String(decoding: header.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
            if name.hasPrefix("./") { name.removeFirst(2) }
            guard name == file.rawValue else { throw Self.foreign("it holds no \(file.rawValue) where it should be") }
            places[file] = Place(offset: start, size: size)
            expected = expected.dropFirst()
        }
    }

    private static func isWhole(_ header: [UInt8]) -> Bool {
        var sum: UInt64 = 0
        for (index, byte) in header.enumerated() { sum += UInt64((148..<156).contains(index) ? 0x20 : byte) }
        return octal(header[148..<156]) == sum
    }

    private static func size(_ header: [UInt8]) throws(ArchiveError) -> UInt64 {
        if header[124] == 0x80 {
            return header[128..<136].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard let size = octal(header[124..<136]) else { throw foreign("a file in it has no size") }
        return size
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> UInt64? {
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty, digits.allSatisfy({ (48...55).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | UInt64($1 - 48) }
    }

    private static func foreign(_ words: String) -> ArchiveError {
        ArchiveError(.notAnArchive, "this is no archive of Waxwing: \(words)")
    }
}
