import CCurl
import ConclaveProtocol
import WaxwingCore

/// A server's base URL, checked and normalized.
struct ServerURL: Hashable, Sendable {
    /// Scheme, host, port and prefix, without a trailing slash.
    let text: String
    let isTLS: Bool

    /// - Throws: ``TransportError`` with a reason for people if `address` is not an http or https URL without user,
    ///   query and fragment.
    init(_ address: String) throws(TransportError) {
        let address = String(address.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard let url = curl_url() else { throw TransportError(.notSent, .other, "out of memory") }
        defer { curl_url_cleanup(url) }
        guard !address.utf8.contains(0),
            curl_url_set(url, CURLUPART_URL, address, UInt32(CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME))
                == CURLUE_OK
        else { throw Self.invalid("is not a URL") }
        guard let scheme = Self.part(url, CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https" else {
            throw Self.invalid("must begin with https:// or http://")
        }
        for part in [CURLUPART_USER, CURLUPART_PASSWORD] where Self.part(url, part) != nil {
            throw Self.invalid("must not contain a user name or password")
        }
        for part in [CURLUPART_QUERY, CURLUPART_FRAGMENT] where Self.part(url, part) != nil {
            throw Self.invalid("must not contain a query or fragment")
        }
        guard var whole = Self.part(url, CURLUPART_URL), Self.part(url, CURLUPART_HOST)?.isEmpty == false else {
            throw Self.invalid("has no host")
        }
        while whole.hasSuffix("/") { whole.removeLast() }
        text = whole
        isTLS = scheme == "https"
    }

    /// The URL of a request; nil if the path is not percent-encoded.
    func url(for request: APIRequest) -> String? {
        guard request.path.hasPrefix("/"), request.path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x23 })
        else {
            return nil
        }
        var url = text + request.path
        for (index, item) in request.query.enumerated() {
            url += (index == 0 ? "?" : "&") + Self.encode(item.name) + "=" + Self.encode(item.value)
        }
        return url
    }

    /// Escapes all but the unreserved characters (RFC 3986 §2.3).
    private static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            default:
                encoded += Array("%\(hexEncode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func part(_ url: OpaquePointer, _ part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }

    private static func invalid(_ why: String) -> TransportError {
        TransportError(.notSent, .other, "the server address \(why)")
    }
}
