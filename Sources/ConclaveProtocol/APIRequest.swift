/// One HTTP request of the protocol as a value: what to ask, not how to send it.
public struct APIRequest: Hashable, Sendable {
    /// The HTTP methods of the protocol.
    public enum Method: String, Hashable, Sendable { case get = "GET", post = "POST", patch = "PATCH" }

    public var method: Method
    /// Path below the server's base URL, with the prefix `/api/v1`, percent-encoded.
    public var path: String
    /// Query items in order, not yet percent-encoded.
    public var query: [QueryItem]
    /// The protobuf message; empty if the endpoint takes none.
    public var body: [UInt8]
    /// The session token to send, if the endpoint wants one. Never printed.
    public var token: SessionToken?
    /// The same key on a repeated POST makes a server that knows the header return its first answer.
    public var idempotencyKey: String?
    /// Rows of the group's log, by sequence number, that hold a commit of the same epoch which the sender refuses; the
    /// header ``contestsHeader``. A server that has counted one of these commits accepts this one anyway.
    public var contests: [UInt64] = []

    /// The header of ``contests``: decimal numbers separated by commas. It is not part of the Conclave protocol; other
    /// servers ignore it.
    public static let contestsHeader = "Waxwing-Contests"

    /// A name and a value, not yet percent-encoded.
    public struct QueryItem: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        _ method: Method, _ path: String, query: [QueryItem] = [], body: [UInt8] = [], token: SessionToken? = nil,
        idempotencyKey: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.token = token
        self.idempotencyKey = idempotencyKey
    }
}

extension APIRequest: CustomStringConvertible {
    /// Method and path only.
    public var description: String { "\(method.rawValue) \(path)" }
}
