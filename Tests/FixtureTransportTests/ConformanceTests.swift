import FixtureTransport
import HTTPTransport
import Testing
import TransportConformance

/// The one that is recorded notices nothing of it.
@Suite struct ConformanceTests {
    @Test(arguments: [HTTPTransport.FeedKind.sse, .poll], TransportConformance.Check.allCases)
    func aRecordedTransportConforms(feed: HTTPTransport.FeedKind, check: TransportConformance.Check) async throws {
        let folder = try RecordingFolder()
        let recorder = try folder.recorder()
        recorder.command(["\(check)"])
        let patience = Duration.milliseconds(TransportConformance.Bounds.patience)
        try await TransportConformance { url in
            var options = HTTPTransport.Options(server: url)
            options.proxy = ""
            options.feed = feed
            options.answerSizeMax = TransportConformance.Bounds.answerSize
            options.feedBufferLength = TransportConformance.Bounds.feedBuffer
            options.requestTimeout = patience
            options.feedSilenceTimeout = patience
            options.pollWait = patience - .seconds(1)
            options.pollSlack = .seconds(1)
            return recorder.transport(try HTTPTransport(options))
        }.run(check)
        recorder.exit(0)
        #expect(try Fixture(path: folder.file()).problem == nil)
    }
}
