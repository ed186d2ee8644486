import ConclaveProtocol
import WaxwingCore

/// The requests to one server, over connections of their own: what transport and feeds have in common.
///
/// Its thread ends with it.
final class Requests: Sendable {
    let options: HTTPOptions
    private let server: ServerURL
    private let loop: CurlLoop

    /// - Throws: ``TransportError`` if the options cannot be used.
    init(_ options: HTTPOptions) throws(TransportError) {
        self.options = options
        server = try ServerURL(options.server)
        if let name = options.tokenHeader, !RequestPlan.isHeaderName(name) {
            throw TransportError(.notSent, .other, "the name of the token header is not a valid header name")
        }
        if let proxy = options.proxy, !ProxyAddress.isUsable(proxy) {
            throw TransportError(
                .notSent, .proxy,
                "the address of the proxy cannot be used: it has to look like http://name:password@host:port, with special characters of name and password percent-encoded"
            )
        }
        loop = try CurlLoop(connectionsMax: options.connectionsMax)
    }

    deinit { loop.stop() }

    func plan(_ request: APIRequest) throws(TransportError) -> RequestPlan {
        try RequestPlan(request, server: server, options: options)
    }

    /// Sends a request and collects its answer.
    func answer(to plan: RequestPlan) async throws(TransportError) -> APIResponse {
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
