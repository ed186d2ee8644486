import ConclaveProtocol
import Foundation
import Testing
import WaxwingCore

@testable import Archive
import OpenSSLPrimitives

/// The fast ways give the same results as the plain ones.
@Suite struct FastPathTests {
    private static func line(_ row: HistoryRow, of group: ID = Sample.id(7)) throws -> [UInt8] {
        let batch = try RowBatch(HistoryPage([row]), of: ArchiveGroup(id: group, name: "seven"), isFirst: true) {
            Person(ArchiveUser(id: $0, username: "b\"ob \u{1F44B}\n"))
        }
        var text = TextBuffer()
        try batch.forEach { row, lent throws(ArchiveError) in
            RowLine.write(row, lent, head: RowLine.head(of: group), to: &text)
        }
        return text.bytes
    }

    /// Both ways of reading a line; nil if it is refused.
    private static func read(_ line: [UInt8]) -> (parsed: RowFacts?, scanned: RowFacts?) {
        line.withUnsafeBytes { bytes in
            var (parsed, scanned): (RowFacts?, RowFacts?)
            // It may be refused.
            if let (group, row) = try? RowParser.parse(bytes), let page = try? HistoryPage([row]) {
                parsed = RowFacts(page.rows[0], row.sequence ?? 0, of: group)
            }
            scanned = try? RowFacts(bytes)  // As above.
            return (parsed, scanned)
        }
    }

    @Test func linesAreCheckedAsTheyAreRead() throws {
        for row in Sample.rows(200) {
            let (parsed, scanned) = Self.read(try Self.line(row))
            #expect(parsed != nil && parsed == scanned)
        }
    }

    /// Lines mostly begin like those before them, but not always; and numbers have any length.
    @Test func linesOfSeveralGroupsAreCheckedOneAfterTheOther() throws {
        var rows: [(HistoryRow, ID)] = []
        var number: UInt64 = 1
        for length in 0..<60 as Range<UInt64> {
            var row = HistoryRow(
                sequence: number - length % 2, era: UInt32(length / 7), sender: Sample.id(UInt8(length)),
                time: number - 1, content: .text("\(length)"), epoch: number)
            row.generation = length % 3 == 0 ? nil : UInt32(truncatingIfNeeded: number)
            rows.append((row, Sample.id(length % 5 == 0 ? 7 : 17)))
            number = number > .max / 10 ? 1 : number * 10
        }
        rows.append((HistoryRow(sequence: .max, era: .max, sender: .nobody, time: .max, content: .text("")), .nobody))
        let text = try rows.flatMap { try Self.line($0.0, of: $0.1) }
        try text.withBytes { text throws(ArchiveError) in
            var scanner = RowScanner()
            var count = 0
            try Lines.forEach(in: text) { line throws(ArchiveError) in
                let facts = try scanner.facts(of: line)
                #expect(facts == Self.read(Array(line)).parsed && facts.sequence == rows[count].0.sequence)
                #expect(facts.group == rows[count].1)
                count += 1
            }
            #expect(count == rows.count)
        }
    }

    /// Bytes that are changed, removed, doubled, inserted or swapped, and pieces of other lines.
    @Test func alteredLinesAreRefusedAsTheyAreWhenTheyAreRead() throws {
        let entropy = Entropy(41)
        let lines = try Sample.rows(48).map { try Self.line($0) }.filter { $0.count < 2000 }
        let signs =
            Array(#"0123456789abcdefABCDEF-"\{}[],:nu"#.utf8) + [
                0, 0x1F, 0x0A, 0x7F, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF, 0x80, 0x9F, 0xA0, 0xBF,
            ]
        func chance(_ count: Int) -> Int { Int(entropy.next() % UInt64(max(count, 1))) }
        var accepted = 0
        for round in 0..<60_000 {
            var line = lines[chance(lines.count)]
            for _ in 0...chance(3) {
                let place = chance(line.count)
                switch chance(7) {
                case 0: line[place] = UInt8(truncatingIfNeeded: entropy.next())
                case 1: line[place] = signs[chance(signs.count)]
                case 2: line.remove(at: place)
                case 3: line.insert(signs[chance(signs.count)], at: place)
                case 4: line.insert(contentsOf: #"\u00"#.utf8 + [48 + UInt8(chance(3)), signs[chance(18)]], at: place)
                case 5:
                    let other = lines[chance(lines.count)]
                    line = Array(line[..<place]) + other[min(place, other.count)...]
                default:
                    line.insert(contentsOf: (0...chance(4)).map { _ in signs[chance(signs.count)] | 0x80 }, at: place)
                }
                if line.isEmpty { break }
            }
            let (parsed, scanned) = Self.read(line)
            #expect(parsed == scanned, "round \(round): \(String(decoding: line, as: UTF8.self))")
            if parsed != nil { accepted += 1 }
        }
        #expect(accepted > 1000, "too few of the lines were still good to tell anything: \(accepted)")
    }

    @Test func everyBeginningOfALineIsRefused() throws {
        for row in Sample.rows(12) {
            let line = try Self.line(row)
            for count in 0..<min(line.count, 900) {
                let (parsed, scanned) = Self.read(Array(line[..<count]))
                #expect(parsed == nil && scanned == nil)
            }
        }
    }

    /// Text is read eight bytes at a time: every sign is found at every place of a word.
    @Test func specialSignsAreFoundWhereverTheyStand() {
        for length in 0..<36 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0x61, count: length)
                    bytes[place] = byte
                    let isSpecial = byte < 0x20 || byte == 0x22 || byte == 0x5C
                    let found = bytes.withUnsafeBytes {
                        (ByteScan.special($0, from: 0), ByteScan.specialOrWide($0, from: 0))
                    }
                    #expect(found == (isSpecial ? place : length, isSpecial || byte >= 0x80 ? place : length))
                }
            }
        }
    }

    @Test func treesAreAsTheReadmeSays() throws {
        let lines = (0..<70).map { [UInt8](repeating: UInt8($0), count: $0) + [0x0A] }
        let tree = LineTree()
        for count in [0, 1, 2, 70, 3] {
            tree.clear()
            for line in lines[..<count] { line.withUnsafeBytes { tree.add($0) } }
            #expect(tree.leaves == UInt64(count))
            #expect(tree.root() == SHA256.of([1] + lines[..<count].flatMap { SHA256.of($0) }))
        }
    }

    @Test func numbersAreWrittenInFull() {
        var numbers: [UInt64] = [0, .max, .max - 1]
        var power: UInt64 = 1
        while power <= .max / 10 {
            numbers += [power - 1, power, power + 1]
            power *= 10
        }
        for number in numbers + [power - 1, power, power + 1] {
            var text = TextBuffer(capacity: 1)
            text.append(number)
            #expect(String(decoding: text.bytes, as: UTF8.self) == "\(number)")
        }
    }

    @Test func timesAreThoseOfTheCalendar() {
        let entropy = Entropy(5)
        let format = Date.ISO8601FormatStyle()
        var text = TextBuffer()
        for index in 0..<2000 as Range<UInt64> {
            let time = index < 100 ? index * 86_399 : entropy.next() << 5 % 253_402_300_800
            text.clear()
            text.append(utc: time)
            #expect(
                String(decoding: text.bytes, as: UTF8.self)
                    == Date(timeIntervalSince1970: TimeInterval(time)).formatted(format))
        }
    }

    @Test func idsAndWordsAreWrittenAsTheyAre() throws {
        for text in ["", "plain", "\u{0}\u{1F} \"\\\n\r\t", String(repeating: "ä\"", count: 40), "1234567\n89012345\\"]
        {
            var buffer = TextBuffer(capacity: 1)
            buffer.append(json: text)
            #expect(try JSONDecoder().decode(String.self, from: Data(buffer.bytes)) == text)
        }
        let id = try #require(ID(Array(100..<116)))
        var buffer = TextBuffer()
        buffer.append(id)
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == id.description)
    }
}
