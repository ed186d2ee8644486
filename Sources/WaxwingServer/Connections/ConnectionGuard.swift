import NIOCore

/// How long each part of a connection may take, in seconds.
struct ConnectionDeadlines: Sendable {
    /// From the first byte of a connection to the end of the TLS handshake.
    var handshake: Double
    /// For the head of a request, and for the rest of a body that was answered already.
    var header: Double
    /// Between two requests of someone who is not logged in.
    var strangerIdle: Double
    /// For a reader to take anything at all of what waits for them.
    var stall: Double
}

/// Stands before everything else on a connection, sees bytes and times, and closes what takes too long.
///
/// ```
/// handshake ─▶ waiting for a head ─▶ in a request ─┐
///                      ▲                            │ the answer is whole
///                      └────────────────────────────┘
/// ```
///
/// The time for a body is up to ``Responder``, which can still say so.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let roster: ConnectionRoster
    private let deadlines: ConnectionDeadlines
    private var isHandshaking: Bool
    private var isMultiplexed = false
    private var isHeadBegun = false
    /// Requests without a whole answer, requests without a whole body, and whole requests without a whole answer.
    private var (open, unfinished, answering) = (0, 0, 0)
    private var hasAnswered = false
    private var waitsSince = NIODeadline.now()
    private var stalledSince: NIODeadline?
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    /// What the server works on the connection with. A server that is stopping drops it unread, and NIO ends the process
    /// if its writer goes before the connection does.
    var value: (any Sendable)?

    init(roster: ConnectionRoster, deadlines: ConnectionDeadlines, awaitsHandshake: Bool) {
        self.roster = roster
        self.deadlines = deadlines
        isHandshaking = awaitsHandshake
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
        // Behind the handlers that finish it.
        let value = value
        self.value = nil
        context.eventLoop.execute { withExtendedLifetime(value) {} }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        roster.closed(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isHandshaking && !isMultiplexed && open == 0 && unfinished == 0 && !isHeadBegun {
            isHeadBegun = true
            waitsSince = .now()
            arm()
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalledSince = context.channel.isWritable ? nil : .now()
        arm()
        context.fireChannelWritabilityChanged()
    }

    // MARK: What the handlers behind this one saw

    /// - Parameter isMultiplexed: whether several requests share the connection, with other frames between them.
    func handshakeEnded(isMultiplexed: Bool) {
        isHandshaking = false
        self.isMultiplexed = isMultiplexed
        wait()
    }

    /// A head began (`open` and `unfinished` 1), a body ended (`unfinished` -1, `answering` 1), an answer was written
    /// (`open` and `answering` -1).
    func count(open: Int, unfinished: Int, answering: Int) {
        self.open += open
        self.unfinished += unfinished
        self.answering += answering
        if open > 0 { isHeadBegun = false }
        if let channel = context?.channel { roster.note(channel, open: self.open, answering: self.answering) }
        guard self.open == 0, open < 0 || unfinished < 0 else { return }
        hasAnswered = true
        wait()
    }

    // MARK: Time

    private func begin(_ context: ChannelHandlerContext) {
        wait()
        guard !roster.open(context.channel) else { return }
        // Not before every handler knows that the channel is active.
        context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
    }

    private func wait() {
        isHeadBegun = false
        waitsSince = .now()
        arm()
    }

    /// When the connection is closed if nothing changes.
    private var deadline: NIODeadline? {
        var deadline: NIODeadline?
        if isHandshaking {
            deadline = waitsSince + .seconds(deadlines.handshake)
        } else if open == 0 {
            if !hasAnswered || isHeadBegun || unfinished > 0 {
                deadline = waitsSince + .seconds(deadlines.header)
            } else if let context, !roster.isKnown(context.channel) {
                deadline = waitsSince + .seconds(deadlines.strangerIdle)
            }
        }
        let stall = stalledSince.map { $0 + .seconds(deadlines.stall) }
        return [deadline, stall].compactMap { $0 }.min()
    }

    private func arm() {
        timer?.cancel()
        timer = nil
        guard let context, let deadline else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            guard let context = self.context else { return }
            guard let deadline = self.deadline else { return }
            if deadline <= .now() { context.close(promise: nil) } else { self.arm() }
        }
    }
}

extension TimeAmount {
    fileprivate static func seconds(_ count: Double) -> TimeAmount {
        .nanoseconds(Int64(min(max(0, count), 1e9) * 1e9))
    }
}
