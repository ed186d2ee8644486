import ConclaveProtocol
import Foundation
import HTTPTransport
import Testing
import TransportConformance
import WaxwingCore

/// What is special to HTTP by libcurl. What any transport must do is in ``TransportConformance``.
@Suite(.ahead) struct RequestTests {
    private let get = APIRequest(.get, "/api/v1/me", token: "t0ken")
    private let post = APIRequest(.post, "/api/v1/groups/x/messages", body: [1, 2, 3], token: "t0ken")

    private func transport(
        _ url: String, _ change: (inout HTTPTransport.Options) -> Void = { _ in }
    ) throws -> HTTPTransport {
        var options = HTTPTransport.Options(server: url)
        options.proxy = ""
        change(&options)
        return try HTTPTransport(options)
    }

    private func failure(_ transport: HTTPTransport, _ request: APIRequest) async -> TransportError? {
        do throws(TransportError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error
        }
    }

    /// Checks how a request fails with a server that runs `script` on each connection.
    private func check(
        _ request: APIRequest, _ outcome: TransportError.Outcome, _ cause: TransportError.Cause,
        script: @escaping @Sendable (ScriptedServer.Connection) -> Void
    ) async throws {
        let server = try ScriptedServer { connection, _ in script(connection) }
        let error = await failure(try transport(server.url), request)
        #expect(error?.outcome == outcome && error?.cause == cause, "\(String(describing: error))")
        #expect(error?.reason.contains("t0ken") == false)
    }

    @Test func requestsArriveAsAsked() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answer([9]) })
        let transport = try transport(server.url + "/pre/fix/") { $0.userAgent = "probe/1" }
        var request = APIRequest(
            .post, "/api/v1/x", query: [.init("after", "5"), .init("pattern", "a b&c=ü")], body: [0, 255, 10],
            token: "t0ken", idempotencyKey: "key-1")
        request.contests = [17, .max]
        #expect(
            try await transport.send(request)
                == APIResponse(status: 200, contentType: "application/x-protobuf", body: [9]))
        request.method = .patch
        _ = try await transport.send(request)
        _ = try await transport.send(APIRequest(.post, "/api/v1/logout"))
        _ = try await transport.send(get)
        let seen = server.requests
        #expect(
            seen.map(\.line) == [
                "POST /pre/fix/api/v1/x?after=5&pattern=a%20b%26c%3D%C3%BC HTTP/1.1",
                "PATCH /pre/fix/api/v1/x?after=5&pattern=a%20b%26c%3D%C3%BC HTTP/1.1",
                "POST /pre/fix/api/v1/logout HTTP/1.1", "GET /pre/fix/api/v1/me HTTP/1.1",
            ])
        #expect(seen.map(\.body) == [[0, 255, 10], [0, 255, 10], [], []])
        #expect(
            seen.map { $0.headers["content-type"] } == [
                "application/x-protobuf", "application/x-protobuf", nil, nil,
            ])
        #expect(seen.map { $0.headers["authorization"] } == ["Bearer t0ken", "Bearer t0ken", nil, "Bearer t0ken"])
        #expect(seen[0].headers["idempotency-key"] == "key-1")
        #expect(seen.map { $0.headers["waxwing-contests"] }.prefix(1) == ["17, 18446744073709551615"])
        #expect(seen[3].headers["waxwing-contests"] == nil)
        #expect(seen[0].headers["user-agent"] == "probe/1")
        #expect(seen.allSatisfy { $0.headers["expect"] == nil && $0.headers["accept-encoding"] == nil })
    }

    @Test func theTokenMayTravelInAHeaderOfItsOwn() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answer([]) })
        let transport = try transport(server.url) { $0.tokenHeader = "X-Session" }
        _ = try await transport.send(get)
        #expect(server.requests[0].headers["x-session"] == "t0ken")
        #expect(server.requests[0].headers["authorization"] == nil)
    }

    @Test func connectionsAreUsedAgain() async throws {
        let server = try ScriptedServer { connection, _ in
            while connection.readRequest() != nil { connection.answer([UInt8(connection.number)]) }
        }
        let transport = try transport(server.url)
        for _ in 0..<5 { #expect(try await transport.send(post).body == [0]) }
    }

    @Test func chunkedAnswersAndInterimHeadsAreRead() async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.write("HTTP/1.1 102 Processing\r\nX: y\r\n\r\n")
            connection.write(
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.write("3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
        })
        let answer = try await transport(server.url).send(get)
        #expect(answer == APIResponse(status: 200, contentType: "application/x-protobuf", body: Array("abcde".utf8)))
    }

    // MARK: - Nothing was sent

    @Test func aNameThatDoesNotExistIsNotFound() async throws {
        let error = await failure(try transport("http://no-such-host.invalid:8080"), post)
        #expect(error?.outcome == .notSent && error?.cause == .nameNotFound, "\(String(describing: error))")
    }

    /// Whatever is wrong with a proxy's address, nothing of its password is told.
    @Test(arguments: [
        "http://me:s3#cr@proxy:3128", "http://me:s3/cr@proxy:3128", "http://me:s3 cr@proxy:3128",
        "http://me:s3?cr@proxy:3128", "http://me:s3cr@proxy:99999", "http://me:s3cr@proxy:3128x",
        "ftp://me:s3cr@proxy:21", "http://me:12/s3cr@proxy", "http://me:12#s3cr@proxy", "me:s3/cr@proxy", "http://",
        "http://me:s3cr@proxy/path", "http://me:s3cr@proxy?query",
    ])
    func aProxyThatCannotBeUsedIsRefusedWithoutItsPassword(_ proxy: String) async throws {
        let error = try #require(throws: TransportError.self) {
            try transport("https://chat.example") { $0.proxy = proxy }
        }
        #expect(error.cause == .proxy && error.outcome == .notSent)
        #expect(error.reason.contains("proxy") && !error.reason.contains("s3") && !error.reason.contains("12"))
    }

    @Test(arguments: [
        "", "proxy", "proxy:3128", "me:s3cr@proxy:3128", "http://me:p%23s@proxy:3128/", "https://proxy",
        "socks5h://me:p%40s@[::1]:1080",
    ])
    func aProxyThatMayBeThereIsTaken(_ proxy: String) throws {
        _ = try transport("https://chat.example") { $0.proxy = proxy }
    }

    @Test func aProxyThatIsNotThereIsToldWithoutItsPassword() async throws {
        for proxy in ["http://me:pass@127.0.0.1:1", "http://me:pass@no-such-proxy.invalid:3128"] {
            let transport = try transport("https://chat.example") { $0.proxy = proxy }
            let error = try #require(await failure(transport, get))
            #expect(error.outcome == .notSent && !error.reason.contains("pass"), "\(error)")
        }
    }

    @Test func aProxyThatRefusesHasSentNothing() async throws {
        let proxy = try ScriptedServer(answering: { _, connection in
            connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        })
        let transport = try transport("https://chat.example") { $0.proxy = proxy.url }
        let error = await failure(transport, post)
        #expect(error?.outcome == .notSent && error?.cause == .proxy, "\(String(describing: error))")
        #expect(proxy.requests.first?.line == "CONNECT chat.example:443 HTTP/1.1")
        #expect(proxy.requests.first?.headers["authorization"] == nil)
    }

    @Test func aServerThatDoesNotSpeakTLSHasSeenNothing() async throws {
        let server = try ScriptedServer { connection, _ in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let error = await failure(try transport("https://127.0.0.1:\(server.port)"), post)
        #expect(error?.outcome == .notSent && error?.cause == .tls, "\(String(describing: error))")
    }

    @Test func aHandshakeThatNeverEndsTimesOutUnsent() async throws {
        let server = try ScriptedServer { connection, _ in connection.waitForEnd() }
        let transport = try transport("https://127.0.0.1:\(server.port)") { $0.connectTimeout = .milliseconds(200) }
        let error = await failure(transport, post)
        #expect(error?.outcome == .notSent && error?.cause == .timeout, "\(String(describing: error))")
    }

    // MARK: - No one knows

    @Test func aHeadThatNeverEndsIsCutOff() async throws {
        try await check(get, .unknown, .answerTooLarge) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            for number in 0..<5000 { connection.write("X-\(number): \(String(repeating: "y", count: 100))\r\n") }
            connection.waitForEnd()
        }
    }

    @Test func whatIsNotHTTPIsABadAnswer() async throws {
        for garbage in ["SSH-2.0-OpenSSH_9\r\n", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n", "HTTP/1.1 banana\r\n\r\n"] {
            try await check(get, .unknown, .badAnswer) { connection in
                _ = connection.readRequest()
                connection.write(garbage)
            }
        }
    }

    // MARK: - What cannot be sent at all

    @Test func addressesAreChecked() async throws {
        for address in [
            "", "http://", "ftp://host", "file:///etc/passwd", "http://user:pw@host", "https://host?x=1",
            "https://host#x", "http://ho st", "http://host:99999", "http://a\u{0}b",
        ] {
            #expect(throws: TransportError.self, "\(address)") { try transport(address) }
        }
        for address in ["host", "host:8443", "https://host/a/b/", "http://127.0.0.1:1", "http://[::1]:80/x", " host "] {
            _ = try transport(address)
        }
    }

    @Test func anAddressWithoutASchemeMeansTLS() async throws {
        let server = try ScriptedServer { connection, _ in connection.write("not tls at all, not at all\r\n\r\n") }
        let error = await failure(try transport("127.0.0.1:\(server.port)"), get)
        #expect(error?.cause == .tls)
    }

    @Test func nothingCanBreakOutOfAHeader() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answer([]) })
        let transport = try transport(server.url)
        for token in ["", "a\r\nX: y", "a b", "ü", "a\u{0}"] {
            let error = await failure(transport, APIRequest(.get, "/x", token: SessionToken(token)))
            #expect(error?.outcome == .notSent)
            let other = await failure(transport, APIRequest(.post, "/x", idempotencyKey: token))
            #expect(other?.outcome == .notSent)
        }
        for path in ["x", "/a b", "/a\r\nX: y", "/ü", "/#x"] {
            #expect(await failure(transport, APIRequest(.get, path))?.outcome == .notSent)
        }
        #expect(throws: TransportError.self) { try self.transport(server.url) { $0.tokenHeader = "X Y" } }
        #expect(server.requests.isEmpty)
    }

    @Test func lettingGoOfATransportEndsItsThread() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answer([]) })
        let before = Self.threads()
        for _ in 0..<50 { _ = try await transport(server.url).send(get) }
        // The threads end in their own time, and other tests may have some of theirs: but fifty must not stay.
        for _ in 0..<1000 where Self.threads() > before + 25 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(Self.threads() <= before + 25)
    }

    private static func threads() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
    }
}
