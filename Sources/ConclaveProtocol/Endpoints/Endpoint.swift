import SwiftProtobuf

/// Every endpoint of the Conclave v1 protocol as a function from its parameters to a ``Call``.
///
/// Parameters are sent as given: check what people typed with ``InputRules`` first. If an `idempotencyKey` can be
/// given, a server that knows the header answers a repeated request with its first answer; others ignore it.
public enum Endpoint {
    /// The beginning of every path.
    public static let base = "/api/v1"

    static func get(_ path: String, query: [APIRequest.QueryItem] = [], _ token: SessionToken) -> APIRequest {
        APIRequest(.get, base + path, query: query, token: token)
    }

    static func post(
        _ path: String, _ message: (any SwiftProtobuf.Message)? = nil, _ token: SessionToken?,
        _ idempotencyKey: String? = nil,
        contests: [UInt64] = []
    ) -> APIRequest {
        var request = APIRequest(
            .post, base + path, body: encode(message), token: token, idempotencyKey: idempotencyKey)
        request.contests = contests
        return request
    }

    static func patch(_ path: String, _ message: any SwiftProtobuf.Message, _ token: SessionToken) -> APIRequest {
        APIRequest(.patch, base + path, body: encode(message), token: token)
    }

    /// `text` as one path segment (RFC 3986 §2.3: everything but unreserved characters is escaped).
    static func segment(_ text: String) -> String {
        var path = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                path.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                path += "%" + hexEncode([byte]).uppercased()
            }
        }
        return path
    }

    /// A generated proto3 message has no required fields, so encoding it can only fail if it is larger than 2 GiB, and
    /// no server accepts such a body.
    private static func encode(_ message: (any SwiftProtobuf.Message)?) -> [UInt8] {
        (try? message?.serializedBytes()) ?? []
    }
}
