import ConclaveProtocol
import WaxwingCore

/// One event feed, from its opening to its end, by whatever method works.
struct Feed: Sendable {
    let transport: HTTPTransport
    let token: SessionToken
    let buffer: FeedBuffer

    /// Fills the buffer until the feed ends, and then ends the buffer. Cancelling the task ends the feed.
    func run() async {
        do throws(TransportError) {
            buffer.finish(try await ending())
        } catch {
            buffer.finish(error)
        }
    }

    private func ending() async throws(TransportError) -> TransportError {
        switch transport.options.feed {
        case .sse: try await stream(headTimeout: nil).error
        case .poll: await PollFeed(transport: transport, token: token, buffer: buffer).run()
        case .auto: try await whatGetsThrough()
        }
    }

    /// Uses a stream. If streams do not get through but polling does, uses polling, now and from then on.
    private func whatGetsThrough() async throws(TransportError) -> TransportError {
        if transport.memory.prefersPolling {
            return await PollFeed(transport: transport, token: token, buffer: buffer).run()
        }
        let ending = try await stream(headTimeout: transport.options.feedHeadTimeout)
        guard !Task.isCancelled, let doubt = transport.memory.judge(ending, options: transport.options) else {
            return ending.error
        }
        var isAnswered = false
        let poll = PollFeed(transport: transport, token: token, buffer: buffer, isOpened: ending.wasOpened)
        let error = await poll.run { way in
            isAnswered = true
            guard transport.memory.preferPolling() else { return }
            transport.options.onFallback?(
                "Events do not get through as a stream (\(doubt.words)): \(way.words) from now on.")
        }
        // If polls are not answered either, the stream is not to blame.
        return isAnswered ? error : ending.error
    }

    private func stream(headTimeout: Duration?) async throws(TransportError) -> EventStream.Ending {
        var plan = try transport.plan(Endpoint.events(token: token))
        plan.becomeEventStream(headTimeout: headTimeout, lastEventID: transport.memory.place(of: token))
        let stream = EventStream(buffer)
        return await transport.run(plan, receiver: stream) { stream.deliver(to: $0) }
    }
}
