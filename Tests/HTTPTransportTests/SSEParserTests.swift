import Testing

@testable import HTTPTransport

@Suite struct SSEParserTests {
    private func events(_ pieces: [[UInt8]]) -> [SSEParser.Event] {
        var parser = SSEParser()
        var events: [SSEParser.Event] = []
        for piece in pieces { parser.feed(piece) { events.append($0) } }
        return events
    }

    /// Feeds `text` whole, byte by byte, and cut in two at every place.
    private func check(_ text: String, _ expected: [(name: String, data: String, id: String?)]) {
        let bytes = Array(text.utf8)
        let wanted = expected.map { SSEParser.Event(name: $0.name, data: Array($0.data.utf8), id: $0.id) }
        #expect(events([bytes]) == wanted)
        #expect(events(bytes.map { [$0] }) == wanted)
        for cut in bytes.indices {
            #expect(events([Array(bytes[..<cut]), Array(bytes[cut...])]) == wanted, "cut at \(cut)")
        }
    }

    @Test func framesAreReadHoweverTheyAreCut() {
        check("data: ab\n\n", [("", "ab", nil)])
        check("data:ab\r\n\r\ndata:  cd\r\rdata\n\n", [("", "ab", nil), ("", " cd", nil), ("", "", nil)])
        check("event: lagged\ndata: 7\nid: 12\n\ndata: x\n\n", [("lagged", "7", "12"), ("", "x", "12")])
        check("data: a\ndata: b\n\n", [("", "a\nb", nil)])
        check(": keep-alive\n\n: again\r\n\r\nretry: 5\nother: 1\n\ndata: x\n\n", [("", "x", nil)])
        check("\u{feff}data: bom\n\n", [("", "bom", nil)])
        check("id: 1\n\nid: a\u{0}b\ndata: x\n\nid\ndata: y\n\n", [("", "x", "1"), ("", "y", "")])
        check("data: unfinished\n", [])
        check("event: name alone\n\ndata: x\n\n", [("", "x", nil)])
        check("data: a\r\n\ndata: b\n\r\n", [("", "a", nil), ("", "b", nil)])
    }

    @Test func whatIsTooLargeIsLeftOutAndTheNextIsRead() {
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: HTTPLimits.eventBytes + 1)
        let data = Array("data: ".utf8)
        let newline: [UInt8] = [10]
        let good = Array("data: x\n\n".utf8)
        let wanted = [SSEParser.Event(data: [UInt8(ascii: "x")])]
        // One line.
        #expect(events([data + long + newline + newline + good]) == wanted)
        // Many lines of one event.
        let many = [[UInt8]](repeating: data + long[..<1000] + newline, count: 70).flatMap { $0 }
        #expect(events([many + newline + good]) == wanted)
        // A line that is not a field.
        #expect(events([long + newline + newline + good]) == wanted)
        // A long id is not taken.
        #expect(events([Array("id: ".utf8) + long[..<300] + newline + good]) == wanted)
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 7
        let alphabet = Array("data: event:id:\r\n\n\r\u{0}".utf8) + [0xff, 0xef, 0xbb, 0xbf]
        for _ in 0..<300 {
            let bytes = (0..<200).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            }
            // However it is cut, the result is the same.
            #expect(events([bytes]) == events(bytes.map { [$0] }))
        }
    }
}
