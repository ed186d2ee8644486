import ConclaveProtocol
import WaxwingCore

/// A request in the terms of HTTP, checked for everything that could break a header or a URL.
struct RequestPlan: Sendable {
    /// What limits the time of a request.
    enum Patience: Hashable, Sendable {
        case ordinary
        /// It has no end and no size, and must not be silent for long; before its head, other limits may apply.
        case eventStream(headTimeout: Duration?)
        /// The server takes its time before it answers.
        case poll(timeout: Duration)
    }

    let method: APIRequest.Method
    let url: String
    let isTLS: Bool
    let body: [UInt8]
    /// Whole header lines, except the token's.
    private(set) var headers: [String]
    /// Put into a line of its own when curl takes it, and wiped there afterwards.
    let token: SessionToken?
    /// What comes before the token in its line.
    let tokenPrefix: String
    private(set) var patience = Patience.ordinary

    init(_ request: APIRequest, server: ServerURL, options: HTTPOptions) throws(TransportError) {
        guard let url = server.url(for: request) else {
            throw TransportError(.notSent, .other, "the path of the request is not percent-encoded")
        }
        self.url = url
        method = request.method
        isTLS = server.isTLS
        body = request.body
        // Otherwise curl would announce a body larger than 1 MiB and wait for permission to send it.
        headers = ["Accept: application/x-protobuf", "Expect:"]
        // With an empty value, curl leaves out the form type it gives to every POST.
        headers.append(request.body.isEmpty ? "Content-Type:" : "Content-Type: application/x-protobuf")
        if let token = request.token, !token.isHeaderValue {
            throw TransportError(.notSent, .other, "the session token cannot be put into a header")
        }
        token = request.token
        tokenPrefix = options.tokenHeader.map { "\($0): " } ?? "Authorization: Bearer "
        if let key = request.idempotencyKey {
            guard Self.isHeaderValue(key) else {
                throw TransportError(.notSent, .other, "the idempotency key cannot be put into a header")
            }
            headers.append("Idempotency-Key: \(key)")
        }
        if !request.contests.isEmpty {
            let rows = request.contests.map(String.init).joined(separator: ", ")
            headers.append("\(APIRequest.contestsHeader): \(rows)")
        }
    }

    /// Turns the plan into one for an event stream that continues after `lastEventID`.
    mutating func becomeEventStream(headTimeout: Duration?, lastEventID: String?) {
        patience = .eventStream(headTimeout: headTimeout)
        headers[0] = "Accept: text/event-stream"
        headers.append("Cache-Control: no-store")
        if let lastEventID, Self.isHeaderValue(lastEventID) { headers.append("Last-Event-ID: \(lastEventID)") }
    }

    mutating func becomePoll(timeout: Duration) {
        patience = .poll(timeout: timeout)
        headers.append("Cache-Control: no-store")
    }

    /// A token of RFC 9110 §5.6.2.
    static func isHeaderName(_ name: String) -> Bool {
        let punctuation = Array("!#$%&'*+-.^_`|~".utf8)
        return !name.isEmpty
            && name.utf8.allSatisfy { byte in
                punctuation.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xdf)
            }
    }

    /// Only visible ASCII: no way to begin another header.
    static func isHeaderValue(_ value: String) -> Bool {
        !value.isEmpty && value.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
