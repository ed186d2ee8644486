/// The positions of an archive's files in its content.
struct TarIndex {
    struct Place: Hashable {
        var offset: UInt64
        var size: UInt64
    }

    private(set) var places: [ArchiveFile: Place] = [:]

    /// The largest small file, in bytes; small files are read as a whole. A million messages need a twentieth of it.
    static let smallMax: UInt64 = 8 << 20
    /// Zeros that may follow the last file: tar fills up whole records, of 10 KiB unless told another size.
    private static let endMax = 1 << 20

    /// Goes from header to header, to the very end.
    ///
    /// The signature covers the content of the files. To ensure that any tar unpacks just these, and nothing over them,
    /// everything else that a tar archive can hold is refused: other files, folders, links, names in other places, and
    /// anything after the last file.
    ///
    /// - Throws: `notAnArchive` if a file is missing, an unknown one is there, or their order differs.
    init(_ content: any Content) throws(ArchiveError) {
        var offset: UInt64 = 0
        var expected = ArchiveFile.allCases[...]
        // Notes for tar itself may come between the files.
        var notes = 0
        while let file = expected.first {
            let header = try content.bytes(at: offset, Tar.block)
            guard Self.isWhole(header) else { throw Self.foreign("it holds no \(file.rawValue) where it should be") }
            let size = try Self.size(header)
            // So far below the largest number that no sum below overflows.
            guard size < 1 << 50, offset < 1 << 60 else { throw Self.foreign("a file in it is too large") }
            let start = offset + UInt64(Tar.block)
            offset = (start + size + UInt64(Tar.block - 1)) / UInt64(Tar.block) * UInt64(Tar.block)
            // Part of a name may be here.
            guard header[345..<500].allSatisfy({ $0 == 0 }) else { throw Self.foreign("a file in it has a long name") }
            switch header[156] {
            case UInt8(ascii: "x"), UInt8(ascii: "g"):
                notes += 1
                guard notes <= 32, size <= 1 << 12, Self.isHarmless(try content.bytes(at: start, Int(size))) else {
                    throw Self.foreign("it holds notes of tar that say more than times and owners")
                }
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
        try Self.checkEnd(content, offset)
    }

    /// Two empty blocks end a tar archive; nothing may follow but more of them.
    private static func checkEnd(_ content: any Content, _ offset: UInt64) throws(ArchiveError) {
        var end = [UInt8](repeating: 0, count: endMax + 1)
        let count = try end.withMutableBytes { room throws(ArchiveError) in try content.read(at: offset, into: room) }
        guard count >= Tar.end.count else { throw ArchiveError(.truncated, "the archive ends too early") }
        guard count <= endMax, end[..<count].allSatisfy({ $0 == 0 }) else {
            throw foreign("there is something behind its last file")
        }
    }

    /// Whether the records of a pax header (POSIX.1-2001) hold only times and owners; others give files other names and
    /// sizes.
    private static func isHarmless(_ records: [UInt8]) -> Bool {
        let allowed: Set<String> = ["mtime", "atime", "ctime", "uid", "gid", "uname", "gname"]
        var rest = records[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (48...57).contains($0) }
            guard digits.count <= 5, let length = Int(String(decoding: digits, as: UTF8.self)), length <= rest.count,
                length > digits.count + 1, rest[rest.startIndex + length - 1] == UInt8(ascii: "\n"),
                rest[digits.endIndex] == UInt8(ascii: " ")
            else { return false }
            let record = rest[(digits.endIndex + 1)..<(rest.startIndex + length)]
            let key = record.prefix { $0 != UInt8(ascii: "=") }
            guard key.count < record.count, allowed.contains(String(decoding: key, as: UTF8.self)) else { return false }
            rest = rest.dropFirst(length)
        }
        return true
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
