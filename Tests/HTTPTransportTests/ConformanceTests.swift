import HTTPTransport
import Testing
import TransportConformance

@Suite struct ConformanceTests {
    @Test(arguments: HTTPTransport.FeedKind.allCases, TransportConformance.Check.allCases)
    func everyKindOfFeedConforms(feed: HTTPTransport.FeedKind, check: TransportConformance.Check) async throws {
        let patience = Duration.milliseconds(TransportConformance.Bounds.patience)
        try await TransportConformance { url in
            try HTTPTransport.toTest(url, feed) { options in
                options.answerSizeMax = TransportConformance.Bounds.answerSize
                options.feedBufferLength = TransportConformance.Bounds.feedBuffer
                options.requestTimeout = patience
                options.feedSilenceTimeout = patience
                options.pollWait = patience - .seconds(1)
                options.pollSlack = .seconds(1)
            }
        }.run(check)
    }
}
