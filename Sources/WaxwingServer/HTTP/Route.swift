import ConclaveProtocol
import Foundation
import HTTPTypes

/// One endpoint: method, path below `/api/v1`, and its handler.
struct Route: Sendable {
    enum Segment: Hashable, Sendable {
        case literal(String)
        case id
        case name
    }

    enum Service: Sendable {
        /// Reads a snapshot and changes nothing.
        case read(@Sendable (Transaction, ServerCall) throws -> Answer)
        /// The same, for an answer that may be long: few of them at once.
        case readLong(@Sendable (Transaction, ServerCall) throws -> Answer)
        /// One write transaction.
        case write(@Sendable (Transaction, ServerCall) throws -> Answer)
        /// The same, but a repeated request is carried out again, whatever its key, because its answer is soon out of
        /// date.
        case writeUnkeyed(@Sendable (Transaction, ServerCall) throws -> Answer)
        case register
        case login
        case changePassword
        case deleteAccount
        case messages
        case events
        case pollEvents
    }

    let method: HTTPRequest.Method
    let segments: [Segment]
    let service: Service

    /// Below the router's root, with `{id}` and `{name}` for the variable parts.
    let path: String

    /// In `path`, `{id}` stands for a UUID and `{name}` for a username.
    init(_ method: HTTPRequest.Method, _ path: String, _ service: Service) {
        self.method = method
        self.service = service
        self.path = Routes.prefix + path
        segments = path.split(separator: "/").map { part in
            switch part {
            case "{id}": .id
            case "{name}": .name
            default: .literal(String(part))
            }
        }
    }
}

extension ID {
    /// A UUID as text (RFC 9562 §4), in either case, with or without its hyphens.
    init?(path: Substring) {
        if path.utf8.count == 32 {
            guard let bytes = hexDecode(path.utf8) else { return nil }
            self.init(bytes)
        } else {
            self.init(text: String(path))
        }
    }
}
