import ConclaveProtocol
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Turns a routed request into an answer: body, session, transaction.
struct Responder: Sendable {
    let store: ServerStore
    let accounts: AccountService
    let roster: ConnectionRoster
    let longReads = LongReads()
    let configuration: ServerConfiguration

    func serve(
        _ route: Route, _ path: PathArguments, _ request: Request, over channel: any Channel
    ) async throws -> Response {
        if case .events = route.service { return try await openEvents(request, over: channel) }
        let body = try await body(of: request, for: route, over: channel)
        let address = configuration.trustedProxies.client(of: request, over: channel)
        func pendingCall() throws -> AnonymousCall { try self.pendingCall(path, request, body, over: channel) }
        switch route.service {
        case .register: return .protobuf(try await accounts.register(body, from: address))
        case .login: return .protobuf(try await accounts.login(body, from: address))
        case .changePassword:
            return .protobuf(try await accounts.changePassword(body, token: token(of: request)))
        case .deleteAccount:
            return .protobuf(try await accounts.deleteAccount(body, token: token(of: request)))
        case .read(let action):
            return .protobuf(try await read(action, try pendingCall()))
        case .readLong(let action):
            let pending = try pendingCall()
            let caller = try await authenticateAndSlide(pending.token, over: channel)
            return .protobuf(try await longReads.run(for: caller.user) { try await read(action, pending) })
        case .write(let action):
            return .protobuf(try await write(action, try pendingCall()))
        case .writeUnkeyed(let action):
            var pending = try pendingCall()
            pending.idempotencyKey = nil
            return .protobuf(try await write(action, pending))
        case .messages:
            var response = Response.protobuf(try await fetchMessages(try pendingCall()))
            response.headers[.logEra] = "\(store.database.era)"
            return response
        case .pollEvents:
            var response = Response.protobuf(try await pollEvents(try pendingCall()))
            // Nothing in between must answer in our place.
            response.headers[.cacheControl] = "no-store"
            return response
        case .events: return try await openEvents(request, over: channel)
        }
    }

    private func read(
        _ action: @escaping @Sendable (Transaction, ServerCall) throws -> Answer, _ pending: AnonymousCall
    ) async throws -> Answer {
        let (answer, caller) = try await store.read { transaction in
            let caller = try transaction.authenticate(pending.token)
            return (try action(transaction, pending.call(by: caller)), caller)
        }
        roster.loggedIn(pending.channel, as: caller.user)
        if caller.slideIsDue { try await store.write { try $0.slide(caller) } }
        return answer
    }

    private func write(
        _ action: @escaping @Sendable (Transaction, ServerCall) throws -> Answer, _ pending: AnonymousCall
    ) async throws -> Answer {
        try await store.write { transaction in
            let caller = try transaction.authenticate(pending.token)
            try transaction.slide(caller)
            return try transaction.once(pending.idempotencyKey, by: caller.user) {
                let call = pending.call(by: caller)
                try transaction.takeBytes(of: call)
                return try action(transaction, call)
            }
        }
    }

    /// A read that may also acknowledge. It needs a write only if it moves a cursor in a group that deletes.
    private func fetchMessages(_ pending: AnonymousCall) async throws -> Answer {
        let (answer, call, acknowledges) = try await store.read { transaction in
            let call = pending.call(by: try transaction.authenticate(pending.token))
            return (try transaction.getMessages(call), call, try transaction.fetchAcknowledges(call))
        }
        roster.loggedIn(pending.channel, as: call.user)
        if acknowledges || call.caller.slideIsDue {
            try await store.write { transaction in
                try transaction.slide(call.caller)
                if acknowledges { try transaction.acknowledge(call) }
            }
        }
        return answer
    }

    private func openEvents(_ request: Request, over channel: any Channel) async throws -> Response {
        let token = try token(of: request)
        let caller = try await authenticateAndSlide(token, over: channel)
        let subscription = store.bus.subscribe(
            user: caller.user, tokenHash: token.hash, lastEventID: request.headers[.lastEventID])
        // A session that ended before the stream was on the bus did not end the stream. If this throws, dropping the
        // subscription does.
        _ = try await store.read { try $0.authenticate(token) }
        return EventStream(subscription: subscription).response(to: request)
    }

    /// Answers at once if something came after the cursor, or if there is no cursor; otherwise when something comes.
    ///
    /// A client that goes away meanwhile is noticed only at the end: listening for that would cost everyone else the
    /// connection.
    private func pollEvents(_ pending: AnonymousCall) async throws -> Answer {
        let seconds = try pending.number("wait", default: ServerLimits.pollSeconds, max: ServerLimits.pollSecondsMax)
        let caller = try await authenticateAndSlide(pending.token, over: pending.channel)
        guard let cursor = pending.query["after"] else {
            return try store.bus.batch(for: caller.user, after: nil).answer()
        }
        guard seconds > 0 else { return try store.bus.batch(for: caller.user, after: cursor).answer() }
        switch store.bus.poll(user: caller.user, tokenHash: pending.token.hash, after: cursor) {
        case .ready(let batch): return try batch.answer()
        case .waiting(let poll):
            defer { store.bus.forget(poll) }
            // A session that ended before the poll was on the bus did not end the poll.
            _ = try await store.read { try $0.authenticate(pending.token) }
            switch await poll.wait(seconds: seconds) {
            case .sessionOver: throw APIError.tokenInvalid
            case .tooMany: throw APIError.tooMany(retryAfter: seconds)
            case .news, .timeIsUp, .stopping: return try store.bus.batch(for: caller.user, after: cursor).answer()
            }
        }
    }

    private func authenticateAndSlide(_ token: SessionToken, over channel: any Channel) async throws -> Caller {
        let caller = try await store.read { try $0.authenticate(token) }
        roster.loggedIn(channel, as: caller.user)
        if caller.slideIsDue { try await store.write { try $0.slide(caller) } }
        return caller
    }

    private func pendingCall(
        _ path: PathArguments, _ request: Request, _ body: Data, over channel: any Channel
    ) throws -> AnonymousCall {
        let key = request.method == .post ? request.headers[.idempotencyKey] : nil
        return AnonymousCall(
            token: try token(of: request), channel: channel, path: path,
            query: Dictionary(
                request.uri.queryParameters.map { (String($0.key), String($0.value)) }, uniquingKeysWith: { a, _ in a }),
            body: body, contests: try Contest.rows(request.headers[.contests]),
            idempotencyKey: try key.map { try IdempotencyKey($0, path: request.uri.path, body: body) })
    }

    private func token(of request: Request) throws -> SessionToken {
        try SessionToken(authorization: request.headers[.authorization])
    }

    /// Without a session, no one can make us keep a body or wait for one, except for the two requests that open a
    /// session, whose bodies are small.
    private func body(of request: Request, for route: Route, over channel: any Channel) async throws -> Data {
        // It has no meaning there.
        if request.method == .get { return Data() }
        var most = ServerLimits.body
        switch route.service {
        case .register, .login: most = ServerLimits.openBody
        default:
            let token = try token(of: request)
            let caller = try await store.read { try $0.authenticate(token) }
            roster.loggedIn(channel, as: caller.user)
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > most {
            throw NIOTooManyBytesError(maxBytes: most)
        }
        return try await withThrowingTaskGroup(of: Data?.self) { [most] group in
            defer { group.cancelAll() }
            group.addTask { Data(try await request.body.collect(upTo: most).readableBytesView) }
            group.addTask { [seconds = configuration.bodySeconds] in
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            guard let first = try await group.next(), let body = first else { throw SlowBody() }
            return body
        }
    }
}

/// Answered with 408 in plain text.
struct SlowBody: Error {}

/// A request whose caller is not known yet.
private struct AnonymousCall: Sendable {
    let token: SessionToken
    let channel: any Channel
    let path: PathArguments
    let query: [String: String]
    let body: Data
    let contests: [UInt64]
    var idempotencyKey: IdempotencyKey?

    func call(by caller: Caller) -> ServerCall {
        ServerCall(caller: caller, path: path, query: query, body: body, contests: contests)
    }

    /// A number in the query, clamped to 0 ... `max`.
    ///
    /// - Throws: `MalformedQuery` if it is not a number.
    func number(_ name: String, default usual: Int, max most: Int) throws -> Int {
        guard let text = query[name] else { return usual }
        guard let number = Int(text) else { throw MalformedQuery(name: name) }
        return min(max(number, 0), most)
    }
}

/// Answered with 400 in plain text, as the protocol does for a query that cannot be read.
struct MalformedQuery: Error, CustomStringConvertible {
    let name: String

    var description: String { "the query item \(name) cannot be read" }
}
