import ConclaveProtocol
import Hummingbird
import HummingbirdCore
import NIOCore

extension Responder {
    /// Every route, and an answer for what is none.
    func router() -> Router<ConnectionContext> {
        let router = Router(context: ConnectionContext.self)
        router.addMiddleware {
            AccessLog(isOn: configuration.logsRequests, proxies: configuration.trustedProxies)
            MetricsMiddleware()
            StrictPaths()
            Refusals(configuration: configuration)
        }
        if configuration.isTraced { router.add(middleware: TracingMiddleware()) }
        for route in Routes.all {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                guard let path = PathArguments(context.parameters) else {
                    return Response.plain(.badRequest, "the path holds no UUID where one belongs")
                }
                return try await serve(route, path, request, over: context.channel)
            }
        }
        refuseOtherMethods(of: router)
        return router
    }

    /// A path that is one, with a method that it does not have.
    private func refuseOtherMethods(of router: Router<ConnectionContext>) {
        let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        for (path, routes) in Dictionary(grouping: Routes.all, by: \.path) {
            for method in methods where !routes.contains(where: { $0.method == method }) {
                router.on(RouterPath(path), method: method) { _, _ in Response(status: .methodNotAllowed) }
            }
        }
    }
}

extension PathArguments {
    /// Nil if a UUID is invalid.
    fileprivate init?(_ parameters: Parameters) {
        self.init()
        if let text = parameters["id"] {
            guard let id = ID(path: text) else { return nil }
            append(id)
        }
        if let name = parameters["name"] { set(name: name.removingPercentEncoding ?? String(name)) }
    }
}

/// Knows paths that only look like ours.
private struct StrictPaths: RouterMiddleware {
    func handle(
        _ request: Request, context: ConnectionContext,
        next: (Request, ConnectionContext) async throws -> Response
    ) async throws -> Response {
        // The router passes over empty segments.
        guard !request.uri.path.hasSuffix("/"), !request.uri.path.contains("//") else {
            return Response(status: .notFound)
        }
        return try await next(request, context)
    }
}

/// Turns what is thrown into what the protocol answers.
private struct Refusals: RouterMiddleware {
    let configuration: ServerConfiguration

    func handle(
        _ request: Request, context: ConnectionContext,
        next: (Request, ConnectionContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try .error(error)
        } catch let error as MalformedQuery {
            return .plain(.badRequest, error.description)
        } catch let error as OversizePage {
            return .plain(.contentTooLarge, error.description)
        } catch is SlowBody {
            return .plain(.requestTimeout, "the request body did not come in time")
        } catch is NIOTooManyBytesError {
            return .plain(.contentTooLarge, "a request body has at most \(ServerLimits.body) bytes")
        } catch let error as HTTPError {
            // The router's own: there is no such path.
            return Response(status: error.status)
        } catch let error as ChannelError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The error may quote the request, so it is only logged.
            context.logger.error("\(request.method) failed", metadata: ["error": "\(error)"])
            return try .error(.internalError)
        }
    }
}
