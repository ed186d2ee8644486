import Foundation
import Testing

@testable import MLSPeer

/// JSON is read to the letter, and written so that others read it.
struct JSONReaderTests {
    @Test(
        arguments: [
            ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-0", 0), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .large(1 << 63)), ("18446744073709551615", .large(.max)),
            ("18446744073709551616", .number(18_446_744_073_709_551_616)), ("1.0", .number(1)),
            ("-2.5e-1", .number(-0.25)),
            ("1E+2", .number(100)), ("\"\"", ""), ("\"é\\n\\t\\/\\\"\\\\\\b\\f\\r\"", "é\n\t/\"\\\u{8}\u{c}\r"),
            ("\"\\u00e9\\ud83d\\ude00\\u0000\"", "é😀\u{0}"), ("[]", []), ("[ 1 , [ ] ]", [1, []]), ("{}", [:]),
            ("{\"a\" : {\"b\":[{}]} ,\"\":null}", ["a": ["b": [[:]]], "": .null]), ("{\"a\":1,\"a\":2}", ["a": 2]),
        ] as [(String, PeerJSON)])
    func aTextHasOneValue(text: String, value: PeerJSON) throws {
        #expect(try JSONReader.read(Array(text.utf8)) == value)
        // Written and read again, it is what it was; another reader agrees.
        #expect(try JSONReader.read(Array(value.text.utf8)) == value)
        _ = try JSONSerialization.jsonObject(with: Data(value.text.utf8), options: .fragmentsAllowed)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "1e400", "NaN", "\"",
        "\"\\\"",
        "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"a\u{1}b\"", "\"a\nb\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1}}", "[] []", "// comment\n1", "'a'",
    ])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(throws: PeerError.self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test func aLineHasSoManyValuesAndNoMore() throws {
        func list(_ count: Int) -> [UInt8] { Array(("[0" + String(repeating: ",0", count: count - 1) + "]").utf8) }
        guard case .array(let values) = try JSONReader.read(list(100_000)) else { throw PeerError("not an array") }
        #expect(values.count == 100_000)
        #expect(throws: PeerError.self) { try JSONReader.read(list(300_000)) }
    }

    @Test func nestingHasABound() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONReader.read(nested(64)) }
        #expect(throws: PeerError.self) { try JSONReader.read(nested(66)) }
        #expect(throws: PeerError.self) { try JSONReader.read(nested(1_000_000)) }
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
    func aTextThatIsNoUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: PeerError.self) { try JSONReader.read(bytes) }
    }
}
