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
    /// How to reach a server.
    public typealias Options = HTTPOptions
    /// How to receive events.
    public typealias FeedKind = HTTPOptions.FeedKind

    private let requests: Requests
    private let memory = FeedMemory()
    private let traffic: TrafficWatch

    /// - Throws: ``TransportError`` for the address of a server or a proxy, or a header name, that cannot be used.
    public init(_ options: Options) throws(TransportError) {
        traffic = TrafficWatch(options)
        requests = try Requests(options)
    }

    public func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        let response = try await requests.answer(to: requests.plan(request))
        traffic.note(response, answering: request)
        return response
    }

    public func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        let buffer = FeedBuffer(limit: requests.options.feedBufferLength)
        let feed = Feed(requests: requests, memory: memory, traffic: traffic, token: token, buffer: buffer)
        // The feed keeps what it needs of the transport, so it outlives the caller that asked for it.
        let task = Task { await feed.run() }
        let reader = FeedReader(
            buffer, onDelivery: { [memory] id in memory.move(to: id, of: token) }, onEnd: { task.cancel() })
        return AsyncThrowingStream { try await reader.next() }
    }
}
