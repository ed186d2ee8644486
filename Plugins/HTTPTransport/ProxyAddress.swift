import Machine
import CCurl

/// The address of a proxy, which may hold a password.
///
/// curl repeats an address it cannot use in its error text, and takes pieces of a password that is not percent-encoded
/// for a host or a port. So an address is checked by curl's own parser before curl uses it, and credentials are removed
/// from curl's messages.
enum ProxyAddress {
    private static let schemes: Set<String> = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    /// Whether it is empty, or nothing but scheme, name and password, host and port. Does not check whether anyone
    /// answers there.
    static func isUsable(_ text: String) -> Bool {
        if text.isEmpty { return true }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let url = curl_url() else { return false }
        defer { curl_url_cleanup(url) }
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME)
        guard curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK else { return false }
        func part(_ part: CURLUPart) -> String {
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(url, part, &value, 0) == CURLUE_OK, let value else { return "" }
            defer { curl_free(value) }
            return String(cString: value)
        }
        return schemes.contains(part(CURLUPART_SCHEME)) && !part(CURLUPART_HOST).isEmpty
            && ["", "/"].contains(part(CURLUPART_PATH)) && part(CURLUPART_QUERY).isEmpty
            && part(CURLUPART_FRAGMENT).isEmpty
    }

    /// The proxies that the environment names, for any server.
    static var ofEnvironment: [String] {
        let names: [String] = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        return names.compactMap(Machine.environment)
    }

    /// curl's message without anything that may be part of a proxy's credentials.
    static func withoutCredentials(_ text: String, proxies: [String]) -> String {
        // If an address is malformed, any piece of it may be a piece of the password.
        if !proxies.allSatisfy(isUsable) { return "" }
        var text = text
        for proxy in proxies where !proxy.isEmpty { text.replace(proxy, with: "the proxy") }
        // It was not understood though it looked valid: how much of it curl repeats is not known.
        if let mark = text.firstRange(of: "nsupported proxy"), let quote = text[mark.upperBound...].firstIndex(of: "'")
        {
            text = String(text[..<quote])
        }
        if let mark = text.firstRange(of: "//"), let end = text[mark.upperBound...].lastIndex(of: "@") {
            text.removeSubrange(mark.upperBound...end)
        }
        return text
    }
}
