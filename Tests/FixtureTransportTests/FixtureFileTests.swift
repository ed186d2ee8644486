import ConclaveProtocol
import FixtureTransport
import Foundation
import Testing
import WaxwingCore

/// A recording as a file: what is in it, what is not, and what is wrong with a broken one.
@Suite struct FixtureFileTests {
    private static let header = #"{"entropy":true,"format":1,"kind":"header","line":1,"program":"tests"}"#
    private let folder: RecordingFolder

    init() throws { folder = try RecordingFolder() }

    @Test(arguments: [
        ("", "no fixture"),
        ("not JSON", "line 1 is not a line"),
        (#"{"kind":"command","line":1,"arguments":[]}"#, "does not begin with a header"),
        (#"{"kind":"header","line":1}"#, "does not begin with a header"),
        (#"{"kind":"header","line":1,"format":2}"#, "is of format 2"),
        (header + "\n" + #"{"kind":"exit","line":3,"code":0}"#, "says it is line 3"),
        (header + "\n" + header, "says it is line 1"),
        (header + "\n" + #"{"kind":"dance","line":2}"#, "line 2 is not a line"),
        (header + "\n" + #"{"kind":"exit","line":2,"#, "line 2 is not a line"),
    ])
    func whatIsNoFixtureIsRefusedWithItsLine(text: String, words: String) throws {
        let error = try #require(throws: FixtureError.self) { try Fixture(Array(text.utf8)) }
        #expect("\(error)".contains(words), "\(error)")
    }

    @Test(arguments: [
        ([#""kind":"exit","code":0"#], "did not begin"),
        ([#""kind":"command","arguments":[]"#, #""kind":"command","arguments":[]"#], "before the last one ended"),
        ([#""kind":"command","arguments":[]"#], "in the middle of a command"),
        ([#""kind":"clock","milliseconds":1"#], "outside of a command"),
        ([#""kind":"command","arguments":[]"#, #""kind":"answer","id":1,"status":200"#], "which was not made"),
        (
            [#""kind":"command","arguments":[]"#, #""kind":"request","id":1"#, #""kind":"request","id":1"#],
            "number of its own"
        ),
        (
            [#""kind":"command","arguments":[]"#, #""kind":"request","id":1"#, #""kind":"answer","id":1"#],
            "without a status"
        ),
        (
            [#""kind":"command","arguments":[]"#, #""kind":"request","id":1,"token":"0123456789abcdef""#],
            "token in clear"
        ),
        (
            [
                #""kind":"command","arguments":[]"#, #""kind":"request","id":1"#,
                #""kind":"event","id":1,"event":"event","frame":"zz""#,
            ], "cannot be read"
        ),
        (
            [
                #""kind":"command","arguments":[]"#, #""kind":"request","id":1"#,
                #""kind":"failure","id":1,"outcome":"maybe""#,
            ], "without outcome"
        ),
        (
            [
                #""kind":"command","arguments":[]"#, #""kind":"request","id":1"#,
                #""kind":"answer","id":1,"status":200"#, #""kind":"answer","id":1,"status":200"#,
            ], "which is over"
        ),
        (
            [
                #""kind":"command","arguments":[]"#, #""kind":"request","id":1"#,
                #""kind":"feedEnd","id":1,"outcome":"unknown","cause":"other""#,
                #""kind":"event","id":1,"event":"lagged""#,
            ], "which is over"
        ),
        ([#""kind":"command","arguments":["login","--proxy","http://me:pass@proxy"]"#], "credentials in clear"),
        ([#""kind":"command","arguments":["login","--server","https://me:pass@host"]"#], "credentials in clear"),
        ([#""kind":"command","arguments":[]"#, #""kind":"password","text":"correct horse""#], "password in clear"),
        // LoginRequest{username "al", password "secret"}, and an answer with the token "abcdef".
        (
            [
                #""kind":"command","arguments":[]"#,
                #""kind":"request","id":1,"method":"POST","path":"/api/v1/login","body":"CgJhbBIGc2VjcmV0""#,
            ], "password in clear"
        ),
        (
            [
                #""kind":"command","arguments":[]"#,
                #""kind":"request","id":1,"method":"POST","path":"/api/v1/login""#,
                #""kind":"answer","id":1,"status":200,"body":"CgZhYmNkZWY=""#,
            ], "token in clear"
        ),
        (
            [
                #""kind":"command","arguments":[]"#,
                #""kind":"request","id":1,"method":"POST","path":"/api/v1/login","view":{"password":"secret"}"#,
            ], "a view of something else"
        ),
    ])
    func whatIsOutOfPlaceIsNamed(lines: [String], words: String) throws {
        var text = Self.header + "\n"
        for (index, line) in lines.enumerated() { text += "{\(line),\"line\":\(index + 2)}\n" }
        let problem = try #require(try Fixture(Array(text.utf8)).problem)
        #expect(problem.contains(words), "\(problem)")
    }

    @Test func secretsAreWrittenAsPlaceholders() async throws {
        let (password, token, proxy) = ("correct horse", String(repeating: "4f", count: 32), "http://me:pass@proxy")
        let recorder = try folder.recorder()
        recorder.command([
            "login", "alice", "--proxy", proxy, "--token-header=X-Key", "--password-file", "pw", "--json",
        ])
        recorder.password(password)
        recorder.password("another")
        recorder.password(password)
        let transport = recorder.transport(LoggingIn(token: token))
        _ = try await transport.send(Endpoint.login(username: "alice", password: password).request)
        _ = try await transport.send(Endpoint.me(token: SessionToken(token)).request)
        recorder.exit(0)
        let text = try folder.lines().joined(separator: "\n")
        for secret in [password, token, proxy, "X-Key", "me:pass"] {
            #expect(!text.contains(secret))
            #expect(!text.contains(Data(secret.utf8).base64EncodedString().dropLast(4)))
        }
        #expect(text.contains(#""arguments":["login","alice","--json"]"#), "\(text)")
        // The same secret has the same placeholder, another secret another one.
        let words = try folder.lines().filter { $0.contains(#""kind":"password""#) }
        #expect(words.count == 3 && words[0].contains("password-1") && words[1].contains("password-2"))
        #expect(words[2].contains("password-1"))
        #expect(try Fixture(path: folder.file()).problem == nil)
    }

    @Test(arguments: [
        (["login", "--server", "https://me:pa/s@s@host/x"], ["login", "--server", "https://…@host/x"]),
        (["login", "--server", "me:pass@host"], ["login", "--server", "…@host"]),
        (["login", "--server=http://me:pass@host"], ["login", "--server=http://…@host"]),
        (["login", "ftp://me:pass@host", "--json"], ["login", "ftp://…@host", "--json"]),
        (["send", "lunch", "a@b, or https://x.org/@me"], ["send", "lunch", "a@b, or https://x.org/@me"]),
        (["send", "lunch", "http://a:b@c and http://d:e@f"], ["send", "lunch", "http://…@c and http://…@f"]),
    ])
    func credentialsInAddressesAreLeftOut(given: [String], kept: [String]) throws {
        let recorder = try folder.recorder()
        recorder.command(given)
        recorder.exit(64)
        let fixture = try Fixture(path: folder.file())
        #expect(fixture.commands.map(\.arguments) == [kept])
        #expect(Fixture.kept(kept) == kept && fixture.problem == nil)
    }

    @Test func aFileThatWasThereIsForItsOwnerAloneToo() throws {
        try Data().write(to: URL(fileURLWithPath: folder.file()))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.file())
        _ = try folder.recorder()
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file())[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func aRecordingIsGoneOnWithOnlyWhereItFits() throws {
        var recorder = try folder.recorder()
        recorder.command(["one"])
        recorder.password("first")
        recorder.exit(0)
        recorder = try folder.recorder()
        recorder.command(["two"])
        // The next process does not know the first password, and must not give its placeholder to another.
        recorder.password("second")
        #expect(try folder.lines().last?.contains("password-2") == true)
        // It now ends in the middle of a command.
        #expect(throws: FixtureError.self) { try folder.recorder() }
        recorder.exit(0)
        #expect(throws: FixtureError.self) { try folder.recorder(withEntropy: false) }
        let fixture = try Fixture(path: folder.file())
        #expect(fixture.commands.map(\.arguments) == [["one"], ["two"]])
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file())[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func aLineThatOnlyOneHasHidesNothing() throws {
        func fixture(_ texts: [String]) throws -> Fixture {
            var text = Self.header
            for (index, line) in texts.enumerated() { text += "\n{\(line),\"line\":\(index + 2)}" }
            return try Fixture(Array(text.utf8))
        }
        let begin = #""kind":"command","arguments":["sync"]"#
        let clocks = (1...6).map { #""kind":"clock","milliseconds":\#($0)"# }
        let end = #""kind":"exit","code":0"#
        let old = try fixture([begin] + clocks + [end])
        var changed = clocks
        changed[4] = #""kind":"clock","milliseconds":50"#
        changed.insert(#""kind":"password","text":"password-1""#, at: 1)
        let new = try fixture([begin] + changed + [#""kind":"exit","code":3"#])
        let words = old.differences(from: new)
        #expect(words.contains { $0.hasPrefix("+ 4") && $0.contains("password-1") }, "\(words)")
        #expect(words.contains("- 7  clock 5") && words.contains("+ 8  clock 50"), "\(words)")
        #expect(words.contains("- 9  exit 0") && words.contains("+ 10  exit 3"), "\(words)")
        #expect(!words.contains { $0.contains("clock 2") || $0.contains("clock 6") }, "\(words)")
        #expect(old.differences(from: old).isEmpty)
        let short = try fixture([begin] + clocks.prefix(3) + [end])
        #expect(old.differences(from: short).count == 3 && short.differences(from: old).count == 3)
    }

    @Test func aCopyForOthersHoldsNoKeysAndNoWords() throws {
        let recorder = try folder.recorder()
        recorder.command(["send", "lunch", "the secret plan", "--", "-my plan"])
        recorder.input(Array("more secrets".utf8))
        recorder.exit(0)
        let fixture = try Fixture(path: folder.file())
        let copy = fixture.redacted()
        try copy.write(to: folder.file("copy"))
        #expect(throws: FixtureError.self) { try copy.write(to: folder.file("copy")) }
        let text = try folder.lines("copy").joined()
        #expect(!text.contains("plan") && !text.contains(Data("more secrets".utf8).base64EncodedString()))
        #expect(!copy.isReplayable && copy.problem == nil)
        #expect(fixture.differences(from: fixture).isEmpty)
        #expect(!fixture.differences(from: copy).isEmpty)
    }
}

/// A server that gives everyone the same token.
private struct LoggingIn: Transport {
    let token: String

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        let isLogin = request.path.hasSuffix("/login")
        let body = isLogin ? [0x0A, UInt8(token.utf8.count)] + Array(token.utf8) : []
        return APIResponse(status: 200, contentType: "application/x-protobuf", body: body)
    }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> { AsyncThrowingStream { nil } }
}
