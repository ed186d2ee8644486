import ConclaveProtocol
import FixtureTransport
import Foundation
import MLS
import Synchronization
import Testing
import WaxwingCore

/// What was recorded comes back, and nothing else.
@Suite struct PlayTests {
    private let folder: RecordingFolder

    init() throws { folder = try RecordingFolder() }

    @Test func answersErrorsAndEventsComeBackAsTheyWere() async throws {
        let recorder = try folder.recorder()
        recorder.command(["talk"])
        let first = try await Self.talk(over: recorder.transport(ScriptedTransport()))
        recorder.exit(0)
        #expect(first.count == 8 && Set(first).count == 8, "\(first)")
        #expect(first[2].contains("seconds(30)") && first[7].contains("seconds(7)"), "\(first)")

        for _ in 0..<2 {
            let player = try Player(Fixture(path: folder.file())) { fatalError("\($0)") }
            #expect(player.nextCommand() == ["talk"])
            #expect(try await Self.talk(over: player.transport) == first)
            player.exit(0)
            #expect(player.nextCommand() == nil)
        }
    }

    @Test func clocksEntropyPasswordsAndInputComeBackAsTheyWere() throws {
        let recorder = try folder.recorder()
        let moment = Moment(wall: Instant(milliseconds: 1_234), uptime: 56, boot: 7)
        recorder.command(["draw", "--password-fd", "3"])
        let clock = recorder.clock { moment }
        let entropy = recorder.entropy(CountingEntropy())
        #expect(clock() == moment)
        let drawn = [entropy.bytes(3), entropy.bytes(32)]
        recorder.password("correct horse")
        recorder.input(Array("a line\n".utf8))
        recorder.input([])
        recorder.exit(3)

        let player = try Player(Fixture(path: folder.file())) { fatalError("\($0)") }
        #expect(player.nextCommand() == ["draw"])
        #expect(player.clock() == moment)
        #expect([player.entropy.bytes(3), player.entropy.bytes(32)] == drawn)
        #expect(player.password() == "password-1")
        #expect(player.input() == Array("a line\n".utf8))
        #expect(player.input() == [])
        player.exit(3)
        #expect(player.nextCommand() == nil)
    }

    /// Old recordings have only the wall clock.
    @Test func aClockThatWasRecordedAloneIsTakenForBoth() throws {
        let recorder = try folder.recorder()
        recorder.command(["look"])
        _ = recorder.clock { Moment(wall: Instant(milliseconds: 1_234), uptime: 56, boot: 7) }()
        recorder.exit(0)
        let old = try folder.lines().map { $0.replacing(#","uptime":56"#, with: "").replacing(#""boot":7,"#, with: "") }
        #expect(old.contains { $0.contains("1234") } && !old.joined().contains("boot"))
        let player = try Player(Fixture(Array(old.joined(separator: "\n").utf8))) { fatalError("\($0)") }
        _ = player.nextCommand()
        #expect(player.clock() == Moment(wall: Instant(milliseconds: 1_234)))
    }

    @Test func aRecordingWithoutEntropyIsNotPlayed() throws {
        let recorder = try folder.recorder(withEntropy: false)
        recorder.command(["draw"])
        #expect(recorder.entropy(CountingEntropy()).bytes(4) == [0, 1, 2, 3])
        recorder.exit(0)
        let fixture = try Fixture(path: folder.file())
        #expect(!fixture.isReplayable && fixture.problem == nil)
        #expect(try !folder.lines().contains { $0.contains(#""kind":"entropy""#) })
        #expect(throws: FixtureError.self) { try Player(fixture) { fatalError("\($0)") } }
    }

    /// Talks with a server and returns in words what came of it.
    private static func talk(over transport: any Transport) async throws -> [String] {
        var heard: [String] = []
        for status in [200, 404, 500] {
            let answer = try await transport.send(ScriptedTransport.request(status))
            heard.append("\(answer.head) \(answer.body)")
        }
        for outcome in [0, 1] {
            do {
                _ = try await transport.send(ScriptedTransport.request(outcome))
                heard.append("an answer")
            } catch {
                heard.append("\(error.outcome) \(error.cause) \(error.reason)")
            }
        }
        do {
            for try await event in transport.events(token: ScriptedTransport.token) { heard.append("\(event)") }
            heard.append("an end")
        } catch {
            let error = try #require(error as? TransportError)
            heard.append("\(error.cause) \(error.head as Any)")
        }
        return heard
    }
}

/// Answers with the requested status; 0 and 1 are two ways to fail.
struct ScriptedTransport: Transport {
    static let token = SessionToken(String(repeating: "5e", count: 32))

    static func request(_ status: Int) -> APIRequest {
        var request = Endpoint.me(token: token).request
        request.path = "/api/v1/status/\(status)"
        return request
    }

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        switch Int(request.path.split(separator: "/").last ?? "") ?? 0 {
        case 0: throw TransportError(.notSent, .unreachable, "nobody is there")
        case 1: throw TransportError(.unknown, .timeout, "nobody answers")
        case let status:
            let wait = [404: RetryAfter.date(1_800_000_000), 500: .seconds(30)][status]
            return APIResponse(
                head: ResponseHead(
                    status: status, contentType: "text/\(status)", retryAfter: wait,
                    date: wait.map { _ in 1_700_000_000 }),
                body: [1, 2, UInt8(status & 0xFF)])
        }
    }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield(.opened)
            continuation.yield(.lagged)
            continuation.finish(
                throwing: TransportError(
                    .unknown, .badAnswer, "later", head: ResponseHead(status: 429, retryAfter: .seconds(7), date: 3)))
        }
    }
}

/// Counts up.
final class CountingEntropy: EntropySource {
    private let next = Mutex<UInt8>(0)

    func bytes(_ count: Int) -> [UInt8] {
        next.withLock { next in
            defer { next &+= UInt8(truncatingIfNeeded: count) }
            return (0..<count).map { next &+ UInt8(truncatingIfNeeded: $0) }
        }
    }
}
