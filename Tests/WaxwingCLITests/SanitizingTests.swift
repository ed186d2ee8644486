import Testing

@testable import WaxwingCLI

struct SanitizingTests {
    @Test(arguments: [
        ("plain text", "plain text"),
        ("two\nlines", "two lines"),
        ("windows\r\nline", "windows line"),
        ("tab\there", "tab here"),
        ("\u{1B}[31mred\u{1B}[0m", "[31mred[0m"),
        ("\u{9B}31mred", "31mred"),
        ("bell\u{7}, delete\u{7F}, null\0", "bell, delete, null"),
        ("abc\u{202E}txt.exe", "abctxt.exe"),
        ("\u{2066}isolated\u{2069}", "isolated"),
        ("left\u{200E}right\u{200F}arabic\u{61C}", "leftrightarabic"),
        ("separated\u{2028}lines\u{2029}here\u{85}too", "separated lines here too"),
        ("family 👩‍👩‍👧, é, 漢字", "family 👩‍👩‍👧, é, 漢字"),
    ])
    func nothingThatDisturbsTerminalsIsLeft(text: String, expected: String) {
        #expect(text.onOneLine == expected)
        #expect(!text.onItsLines.unicodeScalars.contains { $0.disturbsTerminals && $0 != "\n" })
    }

    @Test func laterLinesCannotPassForLinesOfOurs() {
        #expect("one\n12  alice: two\r\nthree".indented(by: 4) == "one\n    12  alice: two\n    three")
    }

    @Test(arguments: [
        ("Missing expected argument.", "missing expected argument"), ("TLS is missing.", "TLS is missing"), ("", ""),
    ])
    func theParsersSentencesBecomeClauses(sentence: String, expected: String) {
        #expect(Failure(parsing: sentence, sentence, 64).message == expected)
    }

    @Test func longTextsAreShortenedWithAMark() {
        #expect("0123456789".shortened(to: 10) == "0123456789")
        #expect("0123456789a".shortened(to: 10) == "012345678…")
    }

    @Test func jsonKeepsEveryCharacterAndDisturbsNoTerminal() throws {
        let line = try JSON.line(["text": "a\u{1B}[2J\u{9B}m\u{202E}b\nc/d"])
        #expect(line == #"{"text":"a\u001b[2J\u009bm\u202eb\nc/d"}"#)
    }
}
