import ConclaveProtocol
import WaxwingCore

/// One stream of server-sent events: turns its bytes into hints.
///
/// `@unchecked Sendable`: the continuation is set before the transfer starts; after that, only the loop's thread uses
/// this.
final class HintStream: AnswerReceiver, @unchecked Sendable {
    /// How a stream ended.
    struct Ending: Sendable {
        /// How far it came.
        enum Progress: Hashable, Sendable {
            case nothing
            /// An answer that is not an event stream.
            case otherAnswer(status: Int)
            /// The head of an event stream, and nothing more.
            case accepted
            case alive
        }

        var error: TransportError
        var progress: Progress
        /// From the request to the end.
        var age: Duration

        var wasOpened: Bool { progress == .accepted || progress == .alive }
    }

    typealias Waiter = CheckedContinuation<Ending, Never>

    private let buffer: FeedBuffer
    private let begin = ContinuousClock.now
    private var parser = SSEParser()
    private var progress = Ending.Progress.nothing
    private var waiter: Waiter?

    init(_ buffer: FeedBuffer) { self.buffer = buffer }

    func deliver(to waiter: Waiter) { self.waiter = waiter }

    func head(_ head: ResponseHead) throws(TransportError) {
        progress = .otherAnswer(status: head.status)
        guard head.status == 200 else {
            throw TransportError(.unknown, .badAnswer, Self.explain(head.status), head: head)
        }
        let type = head.contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard type == "text/event-stream" else {
            throw TransportError(
                .unknown, .badAnswer,
                "the answer is no event feed; a captive portal or another web site may be in the way", head: head)
        }
        progress = .accepted
        buffer.append([.opened], id: nil)
    }

    func body(_ bytes: UnsafeRawBufferPointer) {
        progress = .alive
        parser.feed(bytes) { event in
            if event.name == "lagged" {
                buffer.append([.lagged], id: event.id)
            } else if let hint = ServerHint.decode(hexFrame: event.data) {
                buffer.append([.event(hint)], id: event.id)
            }
        }
    }

    func end(_ error: TransportError?) {
        waiter?.resume(
            returning: Ending(
                error: error ?? TransportError(.unknown, .connectionLost, "the server closed the event feed"),
                progress: progress, age: ContinuousClock.now - begin))
        waiter = nil
    }

    /// Why a feed was refused, in words for people.
    static func explain(_ status: Int) -> String {
        switch status {
        case 401: "the server did not accept the session for the event feed (status 401): log in again"
        case 429: "the server asks for fewer event feeds (status 429)"
        default: "the server refused the event feed (status \(status))"
        }
    }
}
