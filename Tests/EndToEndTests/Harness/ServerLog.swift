import ConclaveProtocol
import Foundation
import Testing

/// A group's log as the server holds it, read without any client code.
enum ServerLog {
    /// The whole log, as one of the group's members may read it.
    static func read(_ groupName: String, as person: Person, at port: UInt16) async throws -> [LogRow] {
        try await onThread {
            let (group, token) = try open(groupName, person, port)
            var rows: [LogRow] = []
            while true {
                let after = rows.last?.sequence ?? 0
                let page = try ask(Endpoint.messages(group: group, after: after, limit: 500, token: token), port)
                if page.isEmpty { return rows }
                rows += page
            }
        }
    }

    /// Puts any bytes into the log, as a member.
    static func append(_ message: [UInt8], to groupName: String, as person: Person, at port: UInt16) async throws {
        _ = try await onThread {
            let (group, token) = try open(groupName, person, port)
            return try ask(Endpoint.sendMessage(message, group: group, token: token), port)
        }
    }

    /// Deletes the group for all, as an admin.
    static func deleteGroup(_ groupName: String, as person: Person, at port: UInt16) async throws {
        try await onThread {
            let (group, token) = try open(groupName, person, port)
            try ask(Endpoint.deleteGroup(group, token: token), port)
        }
    }

    static func open(_ groupName: String, _ person: Person, _ port: UInt16) throws -> (group: ID, token: SessionToken) {
        let token = try ask(Endpoint.login(username: person.name, password: Person.password), port).token
        let group = try #require(try ask(Endpoint.groups(token: token), port).first { $0.name == groupName })
        return (group.group, token)
    }

    /// Asks the server something, and reads the answer.
    ///
    /// - Throws: ``ProtocolError`` for what it refuses.
    static func ask<Value>(_ call: Call<Value>, _ port: UInt16) throws -> Value {
        try call.decode(try answer(call.request, port))
    }

    /// Whether a row carries a PrivateMessage: messages do, commits travel as PublicMessage (RFC 9420 §6).
    static func isApplicationMessage(_ row: LogRow) -> Bool { row.message.starts(with: [0, 1, 0, 2]) }

    /// The epoch that a commit ends, as its header says; nil for other rows.
    static func epoch(ofCommit row: LogRow) -> UInt64? {
        // A PublicMessage (RFC 9420 §6): version, wire format, the group's id of 32 bytes, the epoch.
        let start: [UInt8] = [0, 1, 0, 1, 32]
        guard row.message.starts(with: start), row.message.count > start.count + 40 else { return nil }
        return row.message[(start.count + 32)..<(start.count + 40)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func answer(_ request: APIRequest, _ port: UInt16) throws -> APIResponse {
        let lost = ChildProcess.Failure(description: "no answer to \(request)")
        guard let socket = Socket(connectingTo: port) else { throw lost }
        defer { socket.close() }
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        var head = "\(request.method.rawValue) \(request.path)\(query.isEmpty ? "" : "?" + query) HTTP/1.1\r\n"
        head += "host: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: \(request.body.count)\r\n"
        if let token = request.token { head += "authorization: Bearer \(token.unwipedText)\r\n" }
        guard socket.write(Array((head + "\r\n").utf8) + request.body), let answerHead = socket.readHead(),
            let length = HTTPAnswer.bodyLength(answerHead), let body = socket.read(length)
        else { throw lost }
        let answer = HTTPAnswer(head: answerHead, body: body)
        return APIResponse(status: answer.status, contentType: answer.contentType, body: body)
    }
}

/// Does something that blocks, outside the threads that all async code shares.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}
