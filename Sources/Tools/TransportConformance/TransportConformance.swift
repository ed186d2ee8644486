public import WaxwingCore

/// What every transport has to do, however it carries requests and hears of events.
///
/// ```swift
/// @Test(arguments: TransportConformance.Check.allCases)
/// func conforms(_ check: TransportConformance.Check) async throws {
///     try await TransportConformance { url in try MyTransport(url) }.run(check)
/// }
/// ```
///
/// The other side is a ``ScriptedServer`` on loopback that speaks plain HTTP/1.1. It serves events in the way they are
/// asked for: `GET /events` with a stream, `GET /events/poll` with polls.
public struct TransportConformance: Sendable {
    /// The limits with which the transport has to be made.
    public enum Bounds {
        /// Longest body of an answer in bytes.
        public static let answerSize = 4096
        /// How long a request may take, a feed may be silent, and a poll may stay unanswered, in milliseconds.
        public static let patience = 3000
        /// Events kept for a slow reader.
        public static let feedBuffer = 16
    }

    /// One thing a transport has to do.
    public enum Check: String, CaseIterable, Sendable {
        // Requests
        case manyRequestsAtATimeGetTheirOwnAnswers
        case everyStatusIsAnAnswerAndRedirectsAreNotFollowed
        case anAnswerTellsWhenToComeBackAndTheServersTime
        case aClosedPortHasSentNothing
        case aServerThatClosesBeforeTheAnswerIsUnknown
        case aServerThatClosesInTheMiddleOfTheAnswerIsUnknown
        case aServerThatNeverAnswersTimesOut
        case answersThatAreTooLargeAreCutOff
        case cancellingBeforeTheStartSendsNothing
        case cancellingASentRequestIsUnknownAndClosesItsConnection
        case aRequestIsNeverSentTwice

        // Event feeds
        case eventsAreHeardInOrderAndUnknownOnesLeftOut
        case aGapIsTold
        case requestsGoThroughWhileAFeedIsOpen
        case aFeedThatIsCutEndsWithItsError
        case aFeedThatStallsTimesOut
        case anUnreachableServerEndsTheFeed
        case aCaptivePortalIsNoFeed
        case aRefusedFeedTellsWhenToComeBack
        case aReaderThatLetsGoClosesTheConnection
        case aReaderThatIsCancelledClosesTheConnection
        case aSlowReaderIsToldThatItLagged
        case aFeedOutlivesTheOneWhoOpenedIt
    }

    /// What a transport got wrong.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    let make: @Sendable (_ url: String) throws -> any Transport

    /// - Parameter make: makes a transport to the server at `url`, with ``Bounds`` and without a proxy.
    public init(_ make: @escaping @Sendable (_ url: String) throws -> any Transport) { self.make = make }

    /// Runs one check, against a server of its own.
    ///
    /// It runs with a higher priority than tests that only compute: if those came first in the pool, a server would
    /// wait for its next step longer than ``Bounds/patience``.
    ///
    /// - Throws: ``Failure``, or what the transport threw when it should not have.
    public func run(_ check: Check) async throws {
        try await Task(priority: .userInitiated) { try await carryOut(check) }.value
    }

    private func carryOut(_ check: Check) async throws {
        switch check {
        case .manyRequestsAtATimeGetTheirOwnAnswers: try await manyRequestsAtATime()
        case .everyStatusIsAnAnswerAndRedirectsAreNotFollowed: try await everyStatusIsAnAnswer()
        case .anAnswerTellsWhenToComeBackAndTheServersTime: try await whenToComeBack()
        case .aClosedPortHasSentNothing: try await aClosedPort()
        case .aServerThatClosesBeforeTheAnswerIsUnknown: try await closedBeforeTheAnswer()
        case .aServerThatClosesInTheMiddleOfTheAnswerIsUnknown: try await closedInTheMiddleOfTheAnswer()
        case .aServerThatNeverAnswersTimesOut: try await neverAnswered()
        case .answersThatAreTooLargeAreCutOff: try await tooLarge()
        case .cancellingBeforeTheStartSendsNothing: try await cancelledBeforeTheStart()
        case .cancellingASentRequestIsUnknownAndClosesItsConnection: try await cancelledOnTheWay()
        case .aRequestIsNeverSentTwice: try await neverSentTwice()
        case .eventsAreHeardInOrderAndUnknownOnesLeftOut: try await eventsInOrder()
        case .aGapIsTold: try await aGapIsTold()
        case .requestsGoThroughWhileAFeedIsOpen: try await requestsBesideAFeed()
        case .aFeedThatIsCutEndsWithItsError: try await aFeedThatIsCut()
        case .aFeedThatStallsTimesOut: try await aFeedThatStalls()
        case .anUnreachableServerEndsTheFeed: try await aFeedFromNowhere()
        case .aCaptivePortalIsNoFeed: try await aPortalIsNoFeed()
        case .aRefusedFeedTellsWhenToComeBack: try await aFeedForLater()
        case .aReaderThatLetsGoClosesTheConnection: try await aReaderThatStops(byCancelling: false)
        case .aReaderThatIsCancelledClosesTheConnection: try await aReaderThatStops(byCancelling: true)
        case .aSlowReaderIsToldThatItLagged: try await aSlowReader()
        case .aFeedOutlivesTheOneWhoOpenedIt: try await aFeedOnItsOwn()
        }
    }

    func expect(_ condition: @autoclosure () throws -> Bool, _ what: @autoclosure () -> String) throws {
        guard try condition() else { throw Failure(description: "Not so: \(what()).") }
    }
}
