import ConclaveProtocol
import WaxwingCore

/// Turns the bytes of an event stream into hints.
///
/// `@unchecked Sendable`: used by the loop's thread alone.
final class EventFeed: AnswerReceiver, @unchecked Sendable {
    private let buffer: FeedBuffer
    private var parser = SSEParser()

    init(_ buffer: FeedBuffer) { self.buffer = buffer }

    func head(status: Int, contentType: String) throws(TransportError) {
        guard status == 200 else { throw TransportError(.unknown, .badAnswer, Self.explain(status)) }
        let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard type == "text/event-stream" else {
            throw TransportError(
                .unknown, .badAnswer,
                "The answer is no event feed; a captive portal or another web site may be in the way.")
        }
        buffer.append(.opened, id: nil)
    }

    func body(_ bytes: UnsafeRawBufferPointer) {
        parser.feed(bytes) { event in
            if event.name == "lagged" {
                buffer.append(.lagged, id: event.id)
            } else if let hint = ServerHint.decode(hexFrame: event.data) {
                buffer.append(.event(hint), id: event.id)
            }
        }
    }

    func end(_ error: TransportError?) {
        buffer.finish(error ?? TransportError(.unknown, .connectionLost, "The server closed the event feed."))
    }

    private static func explain(_ status: Int) -> String {
        switch status {
        case 401: "The server did not accept the session for the event feed (status 401): log in again."
        case 429: "The server asks for fewer event feeds (status 429)."
        default: "The server refused the event feed (status \(status))."
        }
    }
}
