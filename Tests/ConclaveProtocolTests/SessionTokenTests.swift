import ConclaveProtocol
import Glibc
import Testing

@Suite struct SessionTokenTests {
    private static let text = "topsecret-0123456789"

    /// Whatever prints something that holds a token prints nothing of the token.
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

    @Test func itIsWipedWithItsLastReference() {
        let (size, mark) = (4096, UInt8(0xA7))
        // Made beforehand, since memory that is allocated now may be just the memory that is examined.
        var now = [UInt8](repeating: 0, count: size)
        let memory = open("/proc/self/mem", O_RDONLY)
        defer { close(memory) }
        func remains(_ address: UInt) -> Int {
            guard pread(memory, &now, size, off_t(address)) == size else { return 0 }
            return now.count { $0 == mark }
        }
        var address: UInt = 0
        do {
            let token = SessionToken([UInt8](repeating: mark, count: size))
            token.withUnsafeBytes { address = UInt(bitPattern: $0.baseAddress) }
            let request = Endpoint.me(token: token).request
            #expect(request.token == token && remains(address) == size)
        }
        #expect(remains(address) < 64)
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
