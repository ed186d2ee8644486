import ConclaveProtocol
import Hummingbird
import HummingbirdCore

/// GET /events: server-sent events (WHATWG HTML §9.2), one frame for each event.
struct EventStream: Sendable {
    let subscription: EventSubscription

    /// The stream ends when the session does, the server stops, or the reader goes away.
    func response(to request: Request) -> Response {
        let reader = subscription.reader
        let body = ResponseBody { [subscription] writer in
            defer { subscription.end() }
            try await writer.write(ByteBuffer(string: ": welcome\n\n"))
            try await request.body.consumeWithInboundCloseHandler { _ in
                for await _ in reader.wake {
                    let text = reader.drain()
                    if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                }
            } onInboundClosed: {
                reader.finish()
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-cache",
                // Understood by nginx and others: pass each event on as it comes.
                .accelBuffering: "no",
            ], body: body)
    }
}
