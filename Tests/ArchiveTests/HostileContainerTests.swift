import Age
import ConclaveProtocol
import CZstd
import Testing

@testable import Archive

/// Someone who can open an archive can seal its signed parts again, in a wrapping that says other things to other
/// tools. Whatever tar and zstd would make of it, here it is refused.
@Suite struct HostileContainerTests {
    private let content: [UInt8]

    init() throws {
        let file = try Sample.write(Sample.contents(groups: [1]), Sample.rows(20)).file
        content = try Self.unpacked(try Sample.plaintext(file))
    }

    @Test func theContentByItselfIsWhole() throws {
        #expect(try Sample.allRows(sealed(content)).values.first?.count == 20)
        #expect(try Sample.allRows(sealed(content + [UInt8](repeating: 0, count: 9 * 1024))).values.first?.count == 20)
    }

    private static let forged = Array("FORGED".utf8)

    /// What to put into the content, and where.
    @Test(arguments: [
        "a second transcript behind the trailer", "something behind the end", "no end", "a folder with a size",
        "a note with a path", "a note with a size", "a name in two parts", "a size beyond all numbers", "a link",
        "a folder in front", "another file in front",
    ])
    func aWrappingThatSaysMoreIsRefused(_ what: String) throws {
        let end = content.count - Tar.end.count
        let padded = Self.forged + Tar.padding(behind: UInt64(Self.forged.count))
        var hostile = content
        switch what {
        case "a second transcript behind the trailer":
            hostile.insert(contentsOf: Tar.header("transcript.html", size: 6, time: 0) + padded, at: end)
        case "something behind the end": hostile += Tar.header("transcript.html", size: 6, time: 0) + padded
        case "no end": hostile.removeLast(Tar.end.count)
        case "a folder with a size":
            hostile = header("x/", type: "5", size: 512) + Tar.header("transcript.html", size: 0, time: 0) + hostile
        case "a note with a path": hostile = note("21 path=../../evil\n..") + hostile
        case "a note with a size": hostile = note("10 size=7\n") + hostile
        case "a name in two parts":
            var first = Array(hostile[..<Tar.block])
            first[345] = UInt8(ascii: "x")
            hostile = Self.summed(first) + hostile[Tar.block...]
        case "a size beyond all numbers":
            var first = Array(hostile[..<Tar.block])
            first.replaceSubrange(124..<136, with: [0x80, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8))
            hostile = Self.summed(first) + hostile[Tar.block...]
        case "a link": hostile = header("README.txt", type: "2", size: 0) + hostile
        case "a folder in front": hostile = header("./", type: "5", size: 0) + hostile
        default: hostile = Tar.header("other", size: 6, time: 0) + padded + hostile
        }
        for file in [try sealed(hostile), try sealed(hostile, isFramed: true)] {
            #expect { try Sample.allRows(file) } throws: {
                ($0 as? ArchiveError)?.code != .failed && $0 is ArchiveError
            }
        }
    }

    @Test func notesOfTimesAreTaken() throws {
        #expect(try Sample.allRows(sealed(note("20 mtime=1795614043\n") + content)).count == 1)
    }

    /// zstd still reads a frame that the table calls empty, or smaller than it is.
    @Test(arguments: [0, 1])
    func aFrameThatTheTableHidesIsRefused(_ said: Int) throws {
        let hidden = try Zstd.Compressor().packed(Tar.header("transcript.html", size: 6, time: 0))
        let frame = try Zstd.Compressor().packed(content)
        var table = SeekTable()
        table.add(size: frame.count, contentSize: content.count)
        table.add(size: hidden.count, contentSize: said)
        let file = try Sample.seal(frame + hidden + table.encoded)
        #expect(throws: ArchiveError.self) { try Sample.allRows(file) }
    }

    @Test func aTrailerCannotBeDressedUp() throws {
        let text = String(decoding: content, as: UTF8.self)
        for (old, new) in [
            (#""}"# + "\n", #"" }"# + "\n"), (#""waiting":2"#, #""waiting":-2"#),
            (#""signature":""#, #""signature" :""#),
        ] {
            #expect(text.contains(old))
            let hostile = replacing(Array(old.utf8), by: Array(new.utf8))
            #expect(throws: ArchiveError.self) { try Sample.allRows(sealed(hostile)) }
        }
    }

    /// It is signed, but what no writer writes is not read in two ways.
    @Test func aTrailerWithABlockOfNothingIsRefused() throws {
        var trailer = try Sample.read(Sample.write().file).trailer
        _ = try SignedTrailer(try SignedTrailer.text(of: trailer, by: Signer()).text)
        let last = try #require(trailer.blocks.last)
        trailer.blocks.append(last)
        trailer.blocks[trailer.blocks.count - 1].lines = 0
        trailer.root = hexEncode(try ArchiveTrailer.root(of: trailer.blocks))
        let text = try SignedTrailer.text(of: trailer, by: Signer()).text
        #expect(throws: ArchiveError(.damaged, "")) { try SignedTrailer(text) }
    }

    // MARK: -

    /// The content of all frames of a stream.
    static func unpacked(_ stream: [UInt8]) throws -> [UInt8] {
        let context = ZSTD_createDCtx()
        defer { ZSTD_freeDCtx(context) }
        var content = [UInt8](repeating: 0, count: 1 << 22)
        let count = ZSTD_decompressDCtx(context, &content, content.count, stream, stream.count)
        try #require(ZSTD_isError(count) == 0)
        return Array(content[..<count])
    }

    private func sealed(_ content: [UInt8], isFramed: Bool = false) throws -> [UInt8] {
        let frame = try Zstd.Compressor().packed(content)
        var table = SeekTable()
        table.add(size: frame.count, contentSize: content.count)
        return try Sample.seal(frame + (isFramed ? table.encoded : []))
    }

    private func header(_ name: String, type: Unicode.Scalar, size: UInt64) -> [UInt8] {
        var header = Tar.header(name, size: size, time: 0)
        header[156] = UInt8(ascii: type)
        return Self.summed(header)
    }

    private func note(_ records: String) -> [UInt8] {
        header("note", type: "x", size: UInt64(records.utf8.count)) + Array(records.utf8)
            + Tar.padding(behind: UInt64(records.utf8.count))
    }

    /// With its checksum.
    private static func summed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        header.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
        return header
    }

    private func replacing(_ old: [UInt8], by new: [UInt8]) -> [UInt8] {
        for place in content.indices.reversed() where content[place...].starts(with: old) {
            return Array(content[..<place]) + new + content[(place + old.count)...]
        }
        return content
    }
}

extension Zstd.Compressor {
    fileprivate func packed(_ content: [UInt8]) throws -> [UInt8] {
        try content.withUnsafeBytes { Array(try frame($0)) }
    }
}
