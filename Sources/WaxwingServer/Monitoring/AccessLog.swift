import Hummingbird
import HummingbirdCore
import Logging

/// Gives each request an id, tells it to the client, and logs one line for each if the operator wants it.
///
/// A line has the route's pattern, never the path: names and ids of people and groups stay out of it, as do tokens and
/// bodies. The time is that until the answer is known, without its way to the client.
struct AccessLog: RouterMiddleware {
    typealias Context = ConnectionContext

    let isOn: Bool
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: ConnectionContext,
        next: (Request, ConnectionContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response = try await next(request, context)
        response.headers[.requestID] = context.id
        guard isOn else { return response }
        let client = proxies.client(of: request, over: context.channel)
        let (status, length) = (response.status.code, response.body.contentLength)
        let spent = (ContinuousClock.now - start).components
        let milliseconds = spent.seconds * 1_000 + spent.attoseconds / 1_000_000_000_000_000
        context.logger.notice(
            "request",
            metadata: [
                "method": "\(request.method)", "route": "\(context.endpointPath ?? "-")", "status": "\(status)",
                "ms": "\(milliseconds)", "bytes": "\(length.map(String.init) ?? "-")", "from": "\(client)",
            ])
        return response
    }
}
