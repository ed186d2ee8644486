import ConclaveProtocol
import Foundation
import SwiftProtobuf
import Testing
import TransportConformance

@testable import HTTPTransport

@Suite(.ahead) struct TrafficWatchTests {
    @Test func intervalsGrowWhileNothingComesAndAreShortAgainWhenSomethingDoes() {
        var pace = IntervalPace(from: .seconds(2), to: .seconds(60))
        func next(_ count: Int, jitter: Double = 0.5) -> [Duration] {
            (0..<count).map { _ in pace.next(jitter: jitter) }
        }
        #expect(next(7) == [2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        pace.trafficSeen()
        #expect(next(2) == [.seconds(2), .seconds(4)])
    }

    @Test func jitterMovesAnIntervalByAQuarter() {
        func check(_ jitter: Double, _ expected: Duration) {
            var pace = IntervalPace(from: .seconds(4), to: .seconds(4))
            #expect(pace.next(jitter: jitter) == expected, "\(jitter)")
        }
        check(0, .seconds(3))
        check(0.5, .seconds(4))
        check(1, .seconds(5))
        // Whatever the source says.
        check(-7, .seconds(3))
        check(7, .seconds(5))
    }

    @Test func boundsThatMakeNoSenseStillPause() {
        var pace = IntervalPace(from: .zero, to: .seconds(-1))
        #expect(pace.next(jitter: 0.5) == .milliseconds(1))
    }

    @Test func trafficWakesWhoeverWaitsForHours() async throws {
        var pace = IntervalPace(from: .milliseconds(1), to: .seconds(3600))
        while pace.interval < .seconds(1800) { _ = pace.next(jitter: 0) }
        let watch = TrafficWatch(HTTPTransport.Options(server: "http://127.0.0.1:1"), pace: pace)
        watch.begin()
        let isOver = Signal()
        let waiting = Task {
            await watch.pause()
            isOver.fire()
        }
        // Then it waits.
        while watch.interval < .seconds(3600) { await Task.yield() }
        watch.note(try page(1), answering: APIRequest(.get, "/api/v1/groups/a/messages"))
        #expect(await isOver.isFired())
        waiting.cancel()
    }

    @Test func aLookOfManyRequestsIsFollowedByALongPause() async throws {
        var options = HTTPTransport.Options(server: "http://127.0.0.1:1")
        (options.intervalMin, options.intervalMax) = (.milliseconds(400), .milliseconds(400))
        options.intervalPerRequest = .milliseconds(20)
        let watch = TrafficWatch(options)
        watch.begin()
        let begin = ContinuousClock.now
        async let pause: Void = watch.pause()
        try await Task.sleep(for: .milliseconds(20))
        for number in 0..<60 {
            watch.note(
                APIResponse(status: 200, contentType: "", body: []),
                answering: APIRequest(.get, "/api/v1/groups/\(number)/group-info"))
        }
        await pause
        #expect(ContinuousClock.now - begin >= .milliseconds(1200))
    }

    /// A watch whose interval has grown to its longest.
    private func tired() async -> TrafficWatch {
        var options = HTTPTransport.Options(server: "http://127.0.0.1:1")
        (options.intervalMin, options.intervalMax) = (.milliseconds(1), .milliseconds(4))
        let watch = TrafficWatch(options)
        watch.begin()
        for _ in 0..<3 { await watch.pause() }
        return watch
    }

    private func page(_ sequences: UInt64...) throws -> APIResponse {
        let body: [UInt8] = try WireGetMessagesResponse.with {
            $0.messages = sequences.map { number in .with { $0.sequenceNum = number } }
        }.serializedBytes()
        return APIResponse(status: 200, contentType: "application/x-protobuf", body: body)
    }

    @Test func onlyNewRowsAndOwnMessagesAreTraffic() async throws {
        let log = APIRequest(.get, "/api/v1/groups/a/messages")
        let other = APIRequest(.get, "/api/v1/groups/b/messages")
        let message = APIRequest(.post, "/api/v1/groups/a/messages")
        let broken = APIResponse(status: 200, contentType: "", body: [0xff])
        let watch = await tired()
        func check(_ request: APIRequest, _ response: APIResponse, isTraffic: Bool) async {
            watch.note(response, answering: request)
            #expect(watch.interval == (isTraffic ? .milliseconds(1) : .milliseconds(4)), "\(request)")
            for _ in 0..<3 { await watch.pause() }
        }
        await check(log, try page(4, 5), isTraffic: true)
        await check(log, try page(5), isTraffic: false)
        await check(log, try page(), isTraffic: false)
        await check(other, try page(5), isTraffic: true)
        await check(log, try page(5, 6), isTraffic: true)
        // A server may restart its numbering.
        await check(log, try page(1), isTraffic: true)
        await check(log, broken, isTraffic: false)
        await check(APIRequest(.get, "/api/v1/welcomes"), try page(7), isTraffic: false)
        await check(message, APIResponse(status: 200, contentType: "", body: []), isTraffic: true)
        await check(message, APIResponse(status: 401, contentType: "", body: []), isTraffic: false)
        watch.end()
        // No one looks at intervals: nothing is remembered.
        watch.note(try page(8), answering: log)
        watch.begin()
        for _ in 0..<3 { await watch.pause() }
        await check(log, try page(8), isTraffic: true)
    }
}
