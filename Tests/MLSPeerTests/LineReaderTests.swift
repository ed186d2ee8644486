import MLSPeer
import Testing

/// Lines come out the same however the bytes came in.
struct LineReaderTests {
    private func check(_ input: String, atMost length: Int = 8, gives expected: [String?]) throws {
        for size in 1...max(1, input.utf8.count) {
            var rest = Array(input.utf8)[...]
            var reader = LineReader(lengthMax: length) {
                defer { rest = rest.dropFirst(size) }
                return Array(rest.prefix(size))
            }
            var lines: [String?] = []
            while let line = try reader.next() {
                switch line {
                case .text(let text): lines.append(String(decoding: text, as: UTF8.self))
                case .tooLong: lines.append(nil)
                }
            }
            #expect(lines == expected, "in pieces of \(size)")
        }
    }

    @Test func everyLineEndEndsALine() throws {
        try check("", gives: [])
        try check("\n", gives: [""])
        try check("one", gives: ["one"])
        try check("one\n", gives: ["one"])
        try check("one\n\ntwo\r\nthree", gives: ["one", "", "two\r", "three"])
    }

    @Test func aLineBeyondTheBoundIsSkippedAndSaidSo() throws {
        try check("12345678\n", gives: ["12345678"])
        try check("123456789\n", gives: [nil])
        try check("123456789", gives: [nil])
        try check("a\n12345678901234567890\nb", gives: ["a", nil, "b"])
        try check("1234567890\n1234567890\n\nb\n", gives: [nil, nil, "", "b"])
    }

    @Test func aStreamThatFailsFailsTheReader() throws {
        struct Broken: Error {}
        var reader = LineReader(lengthMax: 8) { throw Broken() }
        #expect(throws: Broken.self) { try reader.next() }
    }
}
