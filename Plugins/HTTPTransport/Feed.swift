import ConclaveProtocol
import WaxwingCore

/// One event feed, from its opening to its end, by whatever method works.
struct Feed: Sendable {
    let requests: Requests
    let memory: FeedMemory
    let traffic: TrafficWatch
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
        switch requests.options.feed {
        case .sse: try await stream(headTimeout: nil).error
        case .poll: await poll().run()
        case .auto: try await whatGetsThrough()
        }
    }

    /// Uses a stream. If streams do not get through but polling does, uses polling, now and from then on.
    private func whatGetsThrough() async throws(TransportError) -> TransportError {
        if memory.prefersPolling {
            return await poll().run()
        }
        let ending = try await stream(headTimeout: requests.options.feedHeadTimeout)
        guard !Task.isCancelled, let doubt = memory.judge(ending, options: requests.options) else {
            return ending.error
        }
        var isAnswered = false
        let error = await poll(isOpened: ending.wasOpened).run { way in
            isAnswered = true
            guard memory.preferPolling() else { return }
            requests.options.onFallback?(
                "Events do not get through as a stream (\(doubt.words)): \(way.words) from now on.")
        }
        // If polls are not answered either, the stream is not to blame.
        return isAnswered ? error : ending.error
    }

    private func poll(isOpened: Bool = false) -> PollFeed {
        PollFeed(
            requests: requests, memory: memory, traffic: traffic, token: token, buffer: buffer, isOpened: isOpened)
    }

    private func stream(headTimeout: Duration?) async throws(TransportError) -> HintStream.Ending {
        var plan = try requests.plan(Endpoint.events(token: token))
        plan.becomeEventStream(headTimeout: headTimeout, lastEventID: memory.place(of: token))
        let stream = HintStream(buffer)
        return await requests.run(plan, receiver: stream) { stream.deliver(to: $0) }
    }
}
