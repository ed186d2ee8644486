import Testing

@testable import ConclaveProtocol

/// How refusals are told apart.
@Suite struct ErrorAnswerTests {
    private func error(_ response: APIResponse) -> ProtocolError? {
        do {
            try Endpoint.logout(token: Sample.token).decode(response)
            return nil
        } catch {
            return error
        }
    }

    private func refusal(_ status: Int, _ code: Int, _ message: String = "no") -> ProtocolError? {
        let body = WireErrorResponse.with {
            $0.message = message
            $0.errorCode = WireErrorCode(rawValue: code) ?? .unspecified
        }
        return error(APIResponse.ok((try? body.serializedBytes()) ?? [], status: status))
    }

    @Test func everyCodeOfTheProtocolIsKnown() {
        let codes: [(Int, ErrorCode)] = [
            (0, .unspecified), (100, .badRequest), (101, .validation), (200, .authHeaderMissing),
            (201, .authHeaderMalformed), (202, .tokenInvalid), (300, .notFound), (301, .conflict), (302, .forbidden),
            (400, .notMember), (401, .notAdmin), (402, .groupNotPublic), (403, .banned), (999, .unknown(999)),
            (-1, .unknown(-1)),
        ]
        for (number, code) in codes {
            #expect(refusal(400, number)?.kind == .refused(status: 400, code: code, message: "no"))
            #expect(refusal(400, number)?.code == code)
        }
    }

    @Test func onlyTheCodeTellsWhetherTheSessionIsOver() {
        #expect(refusal(401, 202)?.isSessionOver == true)
        #expect(refusal(401, 400)?.isSessionOver == false)
        #expect(refusal(401, 401)?.isSessionOver == false)
        #expect(error(APIResponse(status: 401, contentType: "", body: []))?.isSessionOver == false)
    }

    @Test func plainErrorsKeepTheirStatus() {
        for status in [400, 401, 404, 405, 413, 429, 500, 502, 503] {
            for (type, text) in [
                ("text/plain; charset=utf-8", "no such thing"), ("", ""), ("", "body"), ("application/x-protobuf", ""),
            ] {
                #expect(
                    error(APIResponse(status: status, contentType: type, body: Array(text.utf8)))?.kind
                        == .plain(status: status))
            }
        }
    }

    @Test func onlyAnswersThatMayChangeAreWorthRepeating() {
        for (status, isRetryable) in [
            (400, false), (401, false), (403, false), (404, false), (405, false), (408, true), (409, false),
            (413, false), (425, true), (429, true), (500, true), (502, true), (503, true), (599, true),
        ] {
            #expect(error(APIResponse(status: status, contentType: "", body: []))?.isRetryable == isRetryable)
            #expect(refusal(status, 100)?.isRetryable == isRetryable)
        }
    }

    /// A proxy in front of a server says on a web page of its own that the server is in trouble.
    @Test func troubleWithTheServerIsToldWhateverItIsWrittenIn() {
        for type in ["", "text/plain", "text/html", "application/json"] {
            func trouble(_ status: Int, _ retryAfter: RetryAfter? = nil) -> ProtocolError.ServerTrouble? {
                let head = ResponseHead(status: status, contentType: type, retryAfter: retryAfter)
                return error(APIResponse(head: head, body: Array("later".utf8)))?.serverTrouble
            }
            #expect(trouble(429) == .asksToWait)
            #expect(trouble(503) == .inTrouble && trouble(502) == .inTrouble)
            #expect(trouble(503, .seconds(3)) == .asksToWait && trouble(500, .date(3)) == .asksToWait)
            #expect(trouble(404, .seconds(3)) != .asksToWait && trouble(200) == .notOurs)
        }
        #expect(refusal(401, 202)?.serverTrouble == nil && refusal(404, 300)?.serverTrouble == nil)
    }

    @Test func howLongToWaitIsToldWhereItIsKnown() {
        func words(_ retryAfter: RetryAfter?, date: UInt64? = nil) -> String? {
            let head = ResponseHead(status: 429, contentType: "text/plain", retryAfter: retryAfter, date: date)
            return error(APIResponse(head: head, body: []))?.reason
        }
        #expect(words(nil) == "the server asks for fewer requests (429)")
        #expect(words(.seconds(30)) == "the server asks to wait 30 s (429)")
        #expect(words(.date(1_030), date: 1_000) == "the server asks to wait 30 s (429)")
        #expect(words(.date(1_030)) == "the server asks to wait (429)")
    }

    @Test func anUndecodableErrorIsMalformedButKeepsItsStatus() {
        let broken = error(.ok([0xff, 0xff, 0xff], status: 503))
        #expect(broken?.kind == .malformed)
        #expect(broken?.status == 503)
        #expect(broken?.isRetryable == true)
    }

    @Test func aServersTextIsTamedBeforeItIsShown() {
        func shown(_ message: String) -> String? {
            if case .refused(_, _, let text) = refusal(400, 100, message)?.kind { text } else { nil }
        }
        #expect(shown("plain words") == "plain words")
        #expect(shown("\u{1b}[2Jgone\r\n") == "[2Jgone")
        #expect(shown(String(repeating: "a", count: 5000))?.count == 200)
        #expect(shown("a\u{202e}b\u{2066}c\u{0}d") == "a b c d")
        let zalgo = "a" + String(repeating: "\u{301}", count: 100_000)
        #expect((shown(zalgo)?.unicodeScalars.count ?? .max) <= 800)
        #expect(shown("\n\t ")?.isEmpty == true)
    }
}
