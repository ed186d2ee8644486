import ConclaveProtocol
import Foundation
import SwiftProtobuf

/// One authenticated, parsed request: its caller, its path and its body.
struct ServerCall: Sendable {
    let caller: Caller
    let path: PathArguments
    let query: [String: String]
    let body: Data
    /// The rows that a commit contests, by sequence number (see ``Contest``).
    var contests: [UInt64] = []

    var user: ID { caller.user }

    /// - Throws: 400/100 if the body is not such a message.
    func message<M: Message>(_ type: M.Type = M.self) throws -> M {
        try decode(type, from: body)
    }
}

/// The values of a path's variable parts.
struct PathArguments: Sendable, Hashable {
    fileprivate(set) var ids: [ID] = []
    fileprivate(set) var name = ""

    /// The path's UUID. Routes without one never ask for it.
    func id() throws -> ID {
        guard let id = ids.first else { throw APIError.internalError }
        return id
    }

    mutating func append(_ id: ID) { ids.append(id) }
    mutating func set(name: String) { self.name = name }
}

/// A response: a status and a protobuf message's bytes.
struct Answer: Sendable, Hashable {
    var status: Int
    var body: Data
    /// Where the rest of a list begins, if it has one; see ``ListPage``.
    var next: String?

    init(_ status: Int = 200, body: Data = Data()) {
        self.status = status
        self.body = body
    }

    init(_ status: Int, _ message: some Message) throws {
        self.status = status
        self.body = try message.serializedData()
    }

    init(_ message: some Message) throws {
        try self.init(200, message)
    }
}

func decode<M: Message>(_ type: M.Type, from body: Data) throws -> M {
    do {
        return try M(serializedBytes: body)
    } catch {
        throw APIError.badRequest("the body is not the message this endpoint takes")
    }
}

/// - Throws: 400/100 unless the field holds a UUID's 16 bytes.
func decodeID(_ field: Data, _ name: String) throws -> ID {
    guard let id = ID(field) else { throw APIError.badRequest("\(name) is not a UUID of 16 bytes") }
    return id
}
