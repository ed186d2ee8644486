public import ConclaveProtocol
import Synchronization
public import WaxwingCore

/// The way to a server over HTTP: requests and server-sent events, over one connection where the server speaks HTTP/2.
///
/// TLS 1.2 or later with peer and host verified; no redirects, no cookies, no compression, no retry. A request that was begun and got
/// no answer has outcome `unknown`; `notSent` is said only where the request was never begun: curl asks us right before it writes the
/// first byte.
///
/// One background thread serves all requests of a transport. It ends with the transport and its last feed.
public final class HTTPTransport: Transport {
    private let options: Options
    private let server: ServerURL
    private let loop: CurlLoop
    /// Where to go on, for the session it was given to.
    private let lastEvent = Mutex<(token: String, id: String)?>(nil)

    /// - Throws: ``TransportError`` for a server address or header name that cannot be used.
    public init(_ options: Options) throws(TransportError) {
        self.options = options
        server = try ServerURL(options.server)
        if let name = options.tokenHeader, !RequestPlan.isHeaderName(name) {
            throw TransportError(.notSent, .other, "The name of the token header is not a valid header name.")
        }
        loop = try CurlLoop(connectionsMax: options.connectionsMax)
    }

    deinit { loop.stop() }

    public func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        let plan = try RequestPlan(request, server: server, options: options)
        let collector = AnswerCollector(sizeMax: options.answerSizeMax)
        let transfer = Transfer(plan, options: options, receiver: collector)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                collector.deliver(to: continuation)
                loop.start(transfer)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
        return try result.get()
    }

    public func events(token: String) -> AsyncThrowingStream<FeedEvent, any Error> {
        let buffer = FeedBuffer(limit: options.feedBufferLength)
        let transfer: Transfer
        do {
            var plan = try RequestPlan(Endpoint.events(token: token), server: server, options: options)
            plan.becomeEventFeed(lastEventID: lastEvent.withLock { $0?.token == token ? $0?.id : nil })
            transfer = Transfer(plan, options: options, receiver: EventFeed(buffer))
        } catch {
            return AsyncThrowingStream { $0.finish(throwing: error) }
        }
        loop.start(transfer)
        // The reader holds the transport, so that a feed outlives whoever asked for it.
        let reader = FeedReader(
            buffer, onDelivery: { id in self.lastEvent.withLock { $0 = (token, id) } },
            onEnd: { self.loop.cancel(transfer) })
        return AsyncThrowingStream { try await reader.next() }
    }
}
