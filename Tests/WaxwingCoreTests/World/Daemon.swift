import ConclaveProtocol
import Foundation
import GRDB
import HTTPTypes
import WaxwingCore

@testable import WaxwingServer

/// `waxwingd` without its sockets, in the time of a world: the routes, transactions and database are the real ones.
final class Daemon {
    private let server: ConclaveServer
    private let folder: String
    private let clock: Clock

    /// Moved by each request.
    private final class Clock: @unchecked Sendable {
        var now = Int64(1_800_000_000)
        var uptime = Int64(5_000)
    }

    init() throws {
        folder = NSTemporaryDirectory() + "waxwingd-world-" + UUID().uuidString
        let clock = Clock()
        self.clock = clock
        var configuration = ServerConfiguration(dataDirectory: folder)
        configuration.clock = { clock.now }
        configuration.uptime = { clock.uptime }
        configuration.passwordCost = .init(logN: 4)
        configuration.logger.logLevel = .critical
        server = try ConclaveServer(configuration)
        // A world ends with its process.
        try server.store.database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = OFF") }
    }

    deinit {
        // The folder goes anyway.
        try? server.store.database.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func register(_ name: String, as user: ID) {
        do {
            try write { transaction in
                try transaction.execute(
                    "INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at) VALUES (?, ?, '', '', '', ?)",
                    [user.blob, name, transaction.now])
                try transaction.execute(
                    "INSERT INTO session (token_hash, user_id, expires_at, slid_at) VALUES (?, ?, ?, ?)",
                    [
                        WaxwingServer.SessionToken(authorization: authorization(token(of: user))).hash, user.blob,
                        Int64.max / 2, transaction.now,
                    ])
            }
        } catch {
            preconditionFailure("the server does not register \(name): \(error)")
        }
    }

    /// The same in every run.
    func token(of user: ID) -> ConclaveProtocol.SessionToken {
        ConclaveProtocol.SessionToken(hexEncode(user.bytes + user.bytes))
    }

    private func authorization(_ token: ConclaveProtocol.SessionToken) -> String { "Bearer \(token.unwipedText)" }

    func answer(_ request: APIRequest, at moment: Moment) -> APIResponse {
        let before = clock.now
        clock.now = Int64(moment.seconds)
        clock.uptime += max(0, clock.now - before)
        let answer: Answer
        do {
            // What is over goes first, as it does every half minute.
            if clock.now - before > 60 { try sweep() }
            answer = try serve(request)
        } catch let error as APIError {
            var wire = WireErrorResponse()
            (wire.message, wire.errorCode) = (error.message, error.code)
            // Two fields always encode.
            answer = Answer(error.status, body: (try? wire.serializedData()) ?? Data())
        } catch {
            preconditionFailure("\(request): \(error)")
        }
        return APIResponse(
            status: answer.status, contentType: answer.body.isEmpty ? "" : "application/x-protobuf",
            body: Array(answer.body))
    }

    func log(of group: ID) -> [ModelServer.Row] {
        // A group that is gone has no log.
        let rows = try? read { transaction in
            try transaction.rows(
                "SELECT sequence, sender_id, data, created_at FROM message WHERE group_id = ? ORDER BY sequence",
                [group.blob]
            ).map { row in
                ModelServer.Row(
                    sequence: UInt64(row[0] as Int64), sender: try row.id(1), message: Array(try row.data(2)),
                    time: UInt64(row[3] as Int64))
            }
        }
        return rows ?? []
    }

    private func serve(_ request: APIRequest) throws -> Answer {
        let method = HTTPRequest.Method(rawValue: request.method.rawValue)
        guard let method,
            case .found(let route, let path) = RouteTable(prefix: Routes.prefix, Routes.all).match(method, request.path)
        else {
            return Answer(404)
        }
        let token = try WaxwingServer.SessionToken(authorization: request.token.map(authorization))
        let body = Data(request.body)
        let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
        func call(by caller: Caller) -> ServerCall {
            ServerCall(caller: caller, path: path, query: query, body: body, contests: request.contests)
        }
        func written(_ action: (Transaction, ServerCall) throws -> Answer, key: IdempotencyKey?) throws
            -> Answer
        {
            try write { transaction in
                let caller = try transaction.authenticate(token)
                return try transaction.once(key, by: caller.user) { try action(transaction, call(by: caller)) }
            }
        }
        switch route.service {
        case .read(let action), .readLong(let action):
            return try read { transaction in try action(transaction, call(by: transaction.authenticate(token))) }
        case .write(let action):
            let key = try request.idempotencyKey.map { try IdempotencyKey($0, path: request.path, body: body) }
            return try written(action, key: key)
        case .writeUnkeyed(let action): return try written(action, key: nil)
        case .messages:
            return try write { transaction in
                let call = call(by: try transaction.authenticate(token))
                let answer = try transaction.getMessages(call)
                if try transaction.fetchAcknowledges(call) { try transaction.acknowledge(call) }
                return answer
            }
        case .register, .login, .changePassword, .deleteAccount, .events, .pollEvents: return Answer(404)
        }
    }

    private func sweep() throws {
        try write { transaction in
            try transaction.expireInvites()
            try transaction.expireMessages()
            try transaction.expireAnswers()
            try transaction.noteClock()
        }
    }

    private func read<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try server.store.database.pool.read { try body(transaction($0)) }
    }

    private func write<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try server.store.database.pool.write { try body(transaction($0)) }
    }

    private func transaction(_ db: Database) -> Transaction {
        let moments = server.store.expiry.moments(Expiry.Reading(wall: clock.now, uptime: clock.uptime))
        return Transaction(db, now: clock.now, moments: moments, configuration: server.configuration)
    }
}
