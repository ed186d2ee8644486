import Age
import Testing
import WaxwingCore

@testable import Archive

/// The blocks of a long archive are checked in parallel; each one has to be the one that was archived, in its place.
@Suite struct FrameTests {
    /// An archive taken apart into its frames, which can be put together differently.
    private struct Frames {
        let frames: [[UInt8]]
        let sizes: [Int]
        /// Those of messages.jsonl.
        let messages: Range<Int>

        init(_ file: [UInt8]) throws {
            let plaintext = try Sample.plaintext(file)
            let table = try SeekTable(count: UInt64(plaintext.count)) { offset, count in
                Array(plaintext[Int(offset)..<(Int(offset) + count)])
            }
            frames = table.frames.map { Array(plaintext[Int($0.offset)..<(Int($0.offset) + $0.size)]) }
            sizes = table.frames.map(\.contentSize)
            let sealed = try AgeReader(MemorySource(file), Sample.opening)
            let content = FramedContent(sealed, table)
            messages = try #require(content.frames(of: TarIndex(content)[.messages]))
        }

        /// - Parameter number: for each frame, the archive it is from, and its number there.
        static func sealed(_ frames: [(of: Frames, number: Int)]) throws -> [UInt8] {
            var table = SeekTable()
            var bytes: [UInt8] = []
            for (of, number) in frames {
                table.add(size: of.frames[number].count, contentSize: of.sizes[number])
                bytes += of.frames[number]
            }
            return try Sample.seal(bytes + table.encoded)
        }
    }

    private static func rows(altered: UInt64? = nil) -> [HistoryRow] {
        Sample.rows(4000).map { row in
            var row = row
            if row.sequence == altered { row.digest = [UInt8](repeating: 0xEE, count: 32) }
            return row
        }
    }

    private static func code(_ file: [UInt8]) -> ArchiveError.Code? {
        do {
            _ = try Sample.read(file).verify(Sample.verify)
            return nil
        } catch {
            return (error as? ArchiveError)?.code ?? .failed
        }
    }

    @Test func aFrameInAnothersPlaceIsRefused() throws {
        let whole = try Frames(try Sample.write(Sample.contents(groups: [1]), Self.rows()).file)
        #expect(whole.messages.count > 3)
        let own = whole.frames.indices.map { (of: whole, number: $0) }
        #expect(Self.code(try Frames.sealed(own)) == nil)
        for number in whole.messages.dropFirst() {
            var swapped = own
            swapped.swapAt(number, number - 1)
            #expect(Self.code(try Frames.sealed(swapped)) == .damaged, "frames \(number - 1) and \(number)")
            var doubled = own
            doubled[number] = own[number - 1]
            #expect(Self.code(try Frames.sealed(doubled)) != nil, "frame \(number - 1) twice")
        }
    }

    /// Everything under the seal fits its checksums, and the file its sizes: only the hashes show it.
    @Test func aFrameOfAnotherArchiveIsRefused() throws {
        let whole = try Frames(try Sample.write(Sample.contents(groups: [1]), Self.rows()).file)
        for sequence in [5, 1001, 2000, 3998] as [UInt64] {
            let other = try Frames(
                try Sample.write(Sample.contents(groups: [1]), Self.rows(altered: sequence)).file)
            #expect(other.sizes == whole.sizes && other.messages == whole.messages)
            let different = whole.messages.filter { whole.frames[$0] != other.frames[$0] }
            #expect(different.count == 1)
            let mixed = whole.frames.indices.map { (of: different.contains($0) ? other : whole, number: $0) }
            #expect(Self.code(try Frames.sealed(mixed)) == .damaged)
        }
    }

    /// If the frames are not blocks, the lines are read one after the other.
    @Test func framesThatAreNoBlocksAreRead() throws {
        let whole = try Frames(try Sample.write(Sample.contents(groups: [1]), Self.rows()).file)
        let compressor = Zstd.Compressor()
        let decompressor = Zstd.Decompressor()
        var content: [UInt8] = []
        for (frame, size) in zip(whole.frames, whole.sizes) {
            var opened = [UInt8](repeating: 0, count: size)
            try opened.withUnsafeMutableBytes { room in
                try frame.withUnsafeBytes { try decompressor.open($0, into: room) }
            }
            content += opened
        }
        func sealed(_ content: [UInt8]) throws -> [UInt8] {
            var table = SeekTable()
            var bytes: [UInt8] = []
            var rest = content[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(300_007))
                rest = rest.dropFirst(piece.count)
                let frame = try piece.withUnsafeBytes { Array(try compressor.frame($0)) }
                table.add(size: frame.count, contentSize: piece.count)
                bytes += frame
            }
            return try Sample.seal(bytes + table.encoded)
        }
        #expect(Self.code(try sealed(content)) == nil)
        let entropy = Entropy(8)
        for _ in 0..<40 {
            var altered = content
            // After the headers and README.txt, before the end of the trailer.
            let place = 4096 + Int(entropy.next() % UInt64(content.count - 8192))
            altered[place] ^= 1
            #expect(Self.code(try sealed(altered)) != nil, "byte \(place)")
        }
    }

    /// A signed trailer can claim more blocks than there are frames.
    @Test func rowsOfBlocksThatAreNotThereAreRefused() throws {
        let long = try Frames(try Sample.write(Sample.contents(groups: [1]), Self.rows()).file)
        let own = long.frames.indices.map { (of: long, number: $0) }
        let last = long.messages.upperBound - 1
        // The last frame takes the place of all those before it: what is looked for is after the end of the table.
        let short = own.prefix(long.messages.lowerBound) + [own[last]] + own.suffix(1)
        let file = try Frames.sealed(Array(short))
        do {
            let rows = try Sample.read(file).rows(
                of: Sample.id(1), from: .init(era: 0, sequence: 3900), limit: 5)
            Issue.record("\(rows.count) rows")
        } catch let error as ArchiveError {
            #expect(error.code != .failed)
        }
    }
}
