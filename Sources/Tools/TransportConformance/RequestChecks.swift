import ConclaveProtocol
import WaxwingCore

extension TransportConformance {
    private var get: APIRequest { APIRequest(.get, "/api/v1/me", token: "t0ken") }
    private var post: APIRequest { APIRequest(.post, "/api/v1/groups/x/messages", body: [1, 2, 3], token: "t0ken") }

    private func failure(_ transport: any Transport, _ request: APIRequest) async -> TransportError? {
        do throws(TransportError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error
        }
    }

    /// Checks how a request fails with a server that runs `script` on each connection.
    private func expect(
        _ outcome: TransportError.Outcome, _ cause: TransportError.Cause, of request: APIRequest,
        script: @escaping @Sendable (ScriptedServer.Connection) -> Void
    ) async throws {
        let server = try ScriptedServer { connection, _ in script(connection) }
        try expect(outcome, cause, await failure(make(server.url), request))
    }

    private func expect(
        _ outcome: TransportError.Outcome, _ cause: TransportError.Cause, _ error: TransportError?
    ) throws {
        try expect(
            error?.outcome == outcome && error?.cause == cause,
            "the outcome is \(outcome.rawValue) because of \(cause.rawValue), and not \(error?.outcome.rawValue ?? "answered"): \(error?.reason ?? "")"
        )
        try expect(error?.reason.contains("t0ken") == false, "the reason does not quote the token")
    }

    func manyRequestsAtATime() async throws {
        let server = try ScriptedServer(answering: { request, connection in connection.answer(request.body) })
        let transport = try make(server.url)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 as Range<UInt8> {
                group.addTask { try await transport.send(APIRequest(.post, "/x", body: [number])).body == [number] }
            }
            for try await isRight in group { try expect(isRight, "the answer belongs to the request") }
        }
    }

    func everyStatusIsAnAnswer() async throws {
        let server = try ScriptedServer(answering: { request, connection in
            if request.line.contains("/elsewhere") { return connection.answer([1]) }
            let status = String(decoding: request.body, as: UTF8.self)
            connection.write("HTTP/1.1 \(status) Some\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        })
        let transport = try make(server.url)
        for status in [201, 301, 302, 307, 308, 400, 401, 404, 409, 413, 500, 503] {
            let answer = try await transport.send(APIRequest(.post, "/x", body: Array("\(status)".utf8)))
            try expect(answer == APIResponse(status: status, contentType: "", body: []), "\(status) is an answer")
        }
        try expect(!server.requests.contains { $0.line.contains("/elsewhere") }, "redirects are not followed")
    }

    func whenToComeBack() async throws {
        let server = try ScriptedServer(answering: { request, connection in
            connection.write("HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\n")
            connection.write("HTTP/1.1 503 Service Unavailable\r\n\(String(decoding: request.body, as: UTF8.self))")
            connection.write("Content-Length: 0\r\n\r\n")
        })
        let transport = try make(server.url)
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        for (headers, retryAfter, moment) in [
            ("retry-after: 30\r\nDATE: \(date)\r\n", RetryAfter.seconds(30), UInt64(784_111_777)),
            ("Retry-After: \(date)\r\n", .date(784_111_777), nil), ("Retry-After: soon\r\nDate: now\r\n", nil, nil),
            ("", nil, nil),
        ] {
            let head = try await transport.send(APIRequest(.post, "/x", body: Array(headers.utf8))).head
            try expect(
                head == ResponseHead(status: 503, retryAfter: retryAfter, date: moment),
                "\(headers) is read, and not taken for \(head)")
        }
    }

    func aClosedPort() async throws {
        let transport = try make("http://127.0.0.1:\(try ScriptedServer.unusedPort())")
        try expect(.notSent, .unreachable, await failure(transport, post))
    }

    func closedBeforeTheAnswer() async throws {
        for request in [post, get] {
            try await expect(.unknown, .connectionLost, of: request) { _ = $0.readRequest() }
        }
    }

    func closedInTheMiddleOfTheAnswer() async throws {
        for beginning in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"] {
            try await expect(.unknown, .connectionLost, of: post) { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n\(beginning)")
            }
        }
    }

    func neverAnswered() async throws {
        try await expect(.unknown, .timeout, of: post) { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
    }

    func tooLarge() async throws {
        // The answer says how large it is.
        try await expect(.unknown, .answerTooLarge, of: get) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(Bounds.answerSize + 1)\r\n\r\n")
            connection.waitForEnd()
        }
        // The answer does not.
        try await expect(.unknown, .answerTooLarge, of: get) { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "64\r\n\(String(repeating: "x", count: 100))\r\n"
            for _ in 0...Bounds.answerSize / 100 { connection.write(chunk) }
            connection.waitForEnd()
        }
        let server = try ScriptedServer(answering: { _, connection in
            connection.answer([UInt8](repeating: 7, count: Bounds.answerSize))
        })
        let whole = try await make(server.url).send(get).body.count
        try expect(whole == Bounds.answerSize, "what is exactly as large as allowed is read")
    }

    func cancelledBeforeTheStart() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answer([]) })
        let transport = try make(server.url)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure(transport, post)
        }
        task.cancel()
        try expect(.notSent, .cancelled, await task.value)
        try expect(server.requests.isEmpty, "nothing arrived")
    }

    func cancelledOnTheWay() async throws {
        let (arrived, closed) = (Signal(), Signal())
        let server = try ScriptedServer { connection, _ in
            _ = connection.readRequest()
            arrived.fire()
            connection.waitForEnd()
            closed.fire()
        }
        let transport = try make(server.url)
        let task = Task { await failure(transport, post) }
        let hasArrived = await arrived.isFired()
        try expect(hasArrived, "the request arrived")
        task.cancel()
        try expect(.unknown, .cancelled, await task.value)
        let isClosed = await closed.isFired()
        try expect(isClosed, "the connection is closed")
    }

    /// Many HTTP libraries send a request again by themselves if a kept connection dies before the first byte of the
    /// answer. The server may have acted on it: it must arrive once.
    func neverSentTwice() async throws {
        for request in [post, APIRequest(.post, "/x"), APIRequest(.patch, "/x", body: [1]), get] {
            let server = try ScriptedServer { connection, server in
                guard let first = connection.readRequest() else { return }
                server.note(first)
                connection.answer([1])
                // Reads the second request, then hangs up without a word.
                if let second = connection.readRequest() { server.note(second) }
            }
            let transport = try make(server.url)
            _ = try await transport.send(request)
            // A transport that does not keep connections opens a new one each time, and has an answer.
            if let error = await failure(transport, request) { try expect(.unknown, .connectionLost, error) }
            try expect(server.requests.count == 2, "each request arrived once")
            _ = try await transport.send(request)
            try expect(server.requests.count == 3, "the next one finds a connection")
        }
    }
}
