/// The headers of a tar archive (POSIX ustar), as far as this program needs them: regular files with short names.
enum Tar {
    static let block = 512
    /// What comes after the last file.
    static let end = [UInt8](repeating: 0, count: 2 * block)

    /// - Parameters:
    ///   - size: in bytes. Beyond 8 GiB it is written in base 256, which every modern tar reads.
    ///   - time: Unix seconds.
    static func header(_ name: String, size: UInt64, time: UInt64) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at place: Int) {
            header.replaceSubrange(place..<(place + text.utf8.count), with: text.utf8)
        }
        put(name, at: 0)
        put("0000600\0", at: 100)
        put("0000000\0", at: 108)
        put("0000000\0", at: 116)
        if size < 1 << 33 {
            put(octal(size, digits: 11) + "\0", at: 124)
        } else {
            header[124] = 0x80
            for index in 0..<8 { header[135 - index] = UInt8(truncatingIfNeeded: size >> UInt64(8 * index)) }
        }
        put(octal(min(time, 1 << 33 - 1), digits: 11) + "\0", at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar\u{0}00", at: 257)
        let sum = header.reduce(0) { $0 + UInt64($1) }
        put(octal(sum, digits: 6) + "\0 ", at: 148)
        return header
    }

    /// Zeros up to the next full block.
    static func padding(behind size: UInt64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((UInt64(block) - size % UInt64(block)) % UInt64(block)))
    }

    private static func octal(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

/// The files of an archive, in their order.
enum ArchiveFile: String, CaseIterable {
    case readme = "README.txt"
    case manifest = "manifest.json"
    case members = "members.jsonl"
    case messages = "messages.jsonl"
    case markdown = "transcript.md"
    case html = "transcript.html"
    case trailer = "trailer.json"
}
