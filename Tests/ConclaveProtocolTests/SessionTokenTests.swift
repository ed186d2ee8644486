import ConclaveProtocol
import Testing

@Suite struct SessionTokenTests {
    private static let text = "topsecret-0123456789"

    /// Whatever prints something that holds a token prints none of it.
    @Test func nothingThatIsPrintedHoldsIt() {
        let token = SessionToken(Self.text)
        let request = Endpoint.me(token: token).request
        let session = Session(token: token, userID: Sample.id(1), username: "alice")
        var dumps = ""
        dump(token, to: &dumps)
        dump(request, to: &dumps)
        dump(session, to: &dumps)
        let printed = [
            "\(token)", "\(Optional(token) as Any)", String(reflecting: token), "\(request)",
            String(reflecting: request),
            "\(session)", String(reflecting: session), dumps,
        ]
        for line in printed { #expect(!line.contains("topsecret"), "\(line)") }
        #expect("\(token)" == "SessionToken(20 bytes)")
    }

    @Test func equalOnesAreEqual() {
        #expect(SessionToken("abc") == "abc" && SessionToken("abc") != "abd" && SessionToken("abc") != "ab")
        #expect(Set([SessionToken("abc"), "abc", "abd"]).count == 2)
        #expect(SessionToken([]).count == 0 && SessionToken("") == SessionToken([]))
        #expect(SessionToken(Self.text).unwipedText == Self.text)
        #expect(SessionToken(Self.text).withUnsafeBytes { Array($0) } == Array(Self.text.utf8))
    }

    @Test(arguments: [
        ("a~!", true), ("", false), ("a b", false), ("a\r\nX: y", false), ("ü", false), ("a\u{0}", false),
    ])
    func onlyVisibleASCIIGoesIntoAHeader(text: String, expected: Bool) {
        #expect(SessionToken(text).isHeaderValue == expected)
    }
}
