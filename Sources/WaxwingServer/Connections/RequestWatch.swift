import HummingbirdCore
import NIOCore
import NIOHTTPTypes
import NIOTLS

/// Counts the requests of a connection, or of one stream of it, for its ``ConnectionGuard``.
final class RequestWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var keeper: ConnectionGuard?
    private var (heads, ends, answers) = (0, 0, 0)

    func handlerAdded(context: ChannelHandlerContext) {
        // A stream of HTTP/2 runs on the event loop of its connection, which is its parent.
        for channel in [context.channel, context.channel.parent].compactMap({ $0 }) where keeper == nil {
            guard channel.eventLoop === context.eventLoop else { continue }
            // The listening socket is a parent too, and has no guard.
            keeper = try? channel.pipeline.syncOperations.handler(type: ConnectionGuard.self)
        }
    }

    /// A stream may end in the middle.
    func handlerRemoved(context: ChannelHandlerContext) {
        keeper?.count(open: answers - heads, unfinished: ends - heads, answering: answers - ends)
        (heads, ends, answers) = (0, 0, 0)
        keeper = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            heads += 1
            keeper?.count(open: 1, unfinished: 1, answering: 0)
        case .body: break
        case .end:
            ends += 1
            keeper?.count(open: 0, unfinished: -1, answering: 1)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            answers += 1
            keeper?.count(open: -1, unfinished: 0, answering: -1)
        }
        context.write(data, promise: promise)
    }
}

/// Stands behind TLS and sees the handshake end.
final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let keeper: ConnectionGuard

    init(_ keeper: ConnectionGuard) {
        self.keeper = keeper
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let version) = event as? TLSUserEvent {
            keeper.handshakeEnded(isMultiplexed: version == "h2")
        }
        context.fireUserInboundEventTriggered(event)
    }
}
