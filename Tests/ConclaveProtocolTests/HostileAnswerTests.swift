import SwiftProtobuf
import Testing

@testable import ConclaveProtocol

/// Anything that a server, or something between it and us, may answer to any endpoint.
@Suite struct HostileAnswerTests {
    /// The error of decoding, or nil if it succeeded.
    private func failure(_ call: SampleCall, _ response: APIResponse) -> ProtocolError? {
        do {
            try call.decode(response)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyEndpointAsksAndReadsAsTheProtocolSays() {
        #expect(Sample.calls.count == 42)
        for call in Sample.calls {
            let method = call.name.prefix { $0 != " " }
            let path = call.name.dropFirst(method.count + 1)
            #expect(call.request.method.rawValue == method)
            #expect(call.request.path == "/api/v1\(path)")
            let isOpen = path == "/register" || path == "/login"
            #expect(call.request.token == (isOpen ? nil : Sample.token))
            #expect(failure(call, .ok(call.answer)) == nil, "\(call.name)")
        }
    }

    @Test func requestBodiesFitOnlyWhereThereIsOne() {
        for call in Sample.calls where call.request.method == .get {
            #expect(call.request.body.isEmpty, "\(call.name)")
        }
        let bare = Sample.calls.filter { $0.request.method != .get && $0.request.body.isEmpty }.map(\.name)
        let group = Sample.group
        #expect(
            bare == [
                "POST /logout", "POST /reset-account", "POST /groups/\(group)/delete",
                "POST /invites/\(Sample.id(4))/accept", "POST /invites/\(Sample.id(4))/decline",
                "POST /welcomes/\(Sample.id(5))/accept", "POST /groups/\(group)/join", "POST /groups/\(group)/leave",
            ])
    }

    @Test func aCaptivePortalIsAnErrorWhateverItsStatus() {
        let page = Array("<html><body>Please log in to the hotel network</body></html>".utf8)
        for call in Sample.calls {
            for status in [200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 511] {
                for type in ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/json"] {
                    let error = failure(call, APIResponse(status: status, contentType: type, body: page))
                    #expect(error?.kind == .notOurServer, "\(call.name) \(status) \(type)")
                    #expect(error?.isRetryable == true)
                }
            }
            // Protobuf bytes under another name, or under none, are not accepted either.
            for type in ["", "text/plain", "application/octet-stream", "application/x-protobuf2"] {
                let error = failure(call, .ok(call.answer + [0x7a, 1, 0], type: type))
                #expect(error?.kind == .notOurServer, "\(call.name) \(type)")
            }
        }
    }

    @Test func contentTypeParametersAreTolerated() {
        for call in Sample.calls {
            for type in ["application/x-protobuf; charset=utf-8", "Application/X-Protobuf ;a=b"] {
                #expect(failure(call, .ok(call.answer, type: type)) == nil, "\(call.name)")
            }
        }
    }

    @Test func anEmptyAnswerIsNoAnswerWhereOneIsDue() {
        for call in Sample.calls {
            let error = failure(call, .ok([], status: 204, type: ""))
            let mayBeEmpty =
                call.answer.isEmpty
                || ["/groups", "/messages", "/invites", "/welcomes", "/admins", "/banned", "/public", "/retention"]
                    .contains { call.name.hasPrefix("GET") && call.name.hasSuffix($0) }
                || call.name.hasSuffix("/invite")
            #expect((error == nil) == mayBeEmpty, "\(call.name)")
            if let error { #expect(error.kind == .malformed) }
        }
    }

    @Test func truncatedAnswersAreMalformedOrWholeMessages() {
        for call in Sample.calls where !call.answer.isEmpty {
            // Each sample ends in a field of several bytes: without its last byte it cannot decode.
            let last = failure(call, .ok(Array(call.answer.dropLast())))
            #expect(last?.kind == .malformed, "\(call.name)")
            for length in 1..<call.answer.count {
                if let error = failure(call, .ok(Array(call.answer.prefix(length)))) {
                    #expect(error.kind == .malformed, "\(call.name) cut at \(length)")
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func randomAndFlippedBytesNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var malformed = 0
        for call in Sample.calls {
            for _ in 0..<200 {
                let length = Int.random(in: 1...80, using: &random)
                if let error = failure(call, .ok(random.bytes(length))) {
                    #expect(error.kind == .malformed)
                    malformed += 1
                }
                guard !call.answer.isEmpty else { continue }
                var flipped = call.answer
                for _ in 0...Int.random(in: 0...3, using: &random) {
                    flipped[Int.random(in: 0..<flipped.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                _ = failure(call, .ok(flipped))
                let statuses = [-1, 0, 100, 200, 299, 302, 400, 401, 404, 500, 599, 600, Int.max, Int.min]
                let status = statuses.randomElement(using: &random) ?? 200
                _ = failure(call, APIResponse(status: status, contentType: "application/x-protobuf", body: flipped))
            }
        }
        #expect(malformed > 5000)
    }

    @Test func oversizeAnswersAreRefused() {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        // A thousand times as many elements as the bytes are worth in memory: field 1, length 0, again and again.
        let empties = [[UInt8]](repeating: [0x0a, 0x00], count: ProtocolLimits.listElements + 1).flatMap { $0 }
        // One group with too many members.
        let members = [[UInt8]](repeating: [0x1a, 0x00], count: ProtocolLimits.listElements + 1).flatMap { $0 }
        let nested: [UInt8] = [0x0a] + varint(members.count) + members
        for call in Sample.calls {
            #expect(failure(call, .ok(zeros))?.kind == .malformed, "\(call.name)")
            if !call.answer.isEmpty, !call.name.hasSuffix("/retention"),
                !call.name.hasPrefix("POST /groups/\(Sample.group)/messages")
            {
                #expect(failure(call, .ok(empties))?.kind == .malformed, "\(call.name)")
            }
        }
        let groups = Endpoint.groups(token: Sample.token)
        #expect(throws: ProtocolError.self) { try groups.decode(.ok(nested)) }
    }

    @Test func aLengthBeyondTheEndTakesNoMemory() {
        // Field 1 with a length of 2^63 - 1.
        let lie: [UInt8] = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]
        for call in Sample.calls { #expect(failure(call, .ok(lie))?.kind == .malformed, "\(call.name)") }
    }

    private func varint(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest > 0x7f {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
