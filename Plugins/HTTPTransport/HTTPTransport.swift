public import ConclaveProtocol
import Synchronization
public import WaxwingCore

/// The way to a server over HTTP: requests, and event feeds as server-sent events or by long-polling, over one
/// connection if the server speaks HTTP/2.
///
/// Requires TLS 1.2 or later, and verifies peer and host. No redirects, no cookies, no compression, no retries. A
/// request that was begun and got no answer has outcome `unknown`. `notSent` means that the request was never begun:
/// curl asks us right before it writes the first byte.
///
/// One background thread serves all requests of a transport. It ends with the transport and its last feed.
public final class HTTPTransport: Transport {
    let options: Options
    let memory = FeedMemory()
    let traffic: TrafficWatch
    private let server: ServerURL
    private let loop: CurlLoop

    /// - Throws: ``TransportError`` for the address of a server or a proxy, or a header name, that cannot be used.
    public init(_ options: Options) throws(TransportError) {
        self.options = options
        traffic = TrafficWatch(options)
        server = try ServerURL(options.server)
        if let name = options.tokenHeader, !RequestPlan.isHeaderName(name) {
            throw TransportError(.notSent, .other, "The name of the token header is not a valid header name.")
        }
        if let proxy = options.proxy, !ProxyAddress.isUsable(proxy) {
            throw TransportError(
                .notSent, .proxy,
                "The address of the proxy cannot be used: it has to look like http://name:password@host:port, with special characters of name and password percent-encoded."
            )
        }
        loop = try CurlLoop(connectionsMax: options.connectionsMax)
    }

    deinit { loop.stop() }

    public func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        let response = try await perform(plan(request))
        traffic.note(response, answering: request)
        return response
    }

    public func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        let buffer = FeedBuffer(limit: options.feedBufferLength)
        // The task holds the transport, so a feed outlives the caller that asked for it.
        let task = Task { await Feed(transport: self, token: token, buffer: buffer).run() }
        let reader = FeedReader(
            buffer, onDelivery: { [memory] id in memory.move(to: id, of: token) }, onEnd: { task.cancel() })
        return AsyncThrowingStream { try await reader.next() }
    }

    // MARK: - For feeds

    func plan(_ request: APIRequest) throws(TransportError) -> RequestPlan {
        try RequestPlan(request, server: server, options: options)
    }

    /// Waits for the whole answer.
    func perform(_ plan: RequestPlan) async throws(TransportError) -> APIResponse {
        let collector = AnswerCollector(sizeMax: options.answerSizeMax)
        return try await run(plan, receiver: collector) { collector.deliver(to: $0) }.get()
    }

    /// Runs a transfer; cancelling the task ends it.
    ///
    /// - Parameter deliver: tells the receiver where its result goes. Called before the transfer starts.
    func run<Result: Sendable>(
        _ plan: RequestPlan, receiver: any AnswerReceiver, deliver: (CheckedContinuation<Result, Never>) -> Void
    ) async -> Result {
        let transfer = Transfer(plan, options: options, receiver: receiver)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                deliver(continuation)
                loop.start(transfer)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
    }
}
