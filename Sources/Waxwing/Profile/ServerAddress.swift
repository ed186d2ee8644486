/// A server's base URL as people type it.
package enum ServerAddress {
    /// The address with a scheme (https if none was given) and without a trailing slash.
    ///
    /// - Throws: ``AccountError`` `invalidServerAddress` for anything that is not an http or https address with a host,
    ///   or that carries a password or a query.
    package static func normalized(_ text: String) throws(AccountError) -> String {
        let wrong = AccountError.invalidServerAddress
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("\\") else { throw wrong }
        var scheme = "https"
        var rest = text[...]
        if let mark = text.firstRange(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        guard scheme == "https" || scheme == "http" else { throw wrong }
        while rest.hasSuffix("/") { rest.removeLast() }
        guard let first = rest.first, first != "/", first != ":", !rest.contains(where: { "@?#".contains($0) }) else {
            throw wrong
        }
        return scheme + "://" + rest
    }

    /// Whether traffic to it can be read on the way (messages themselves never can).
    package static func isExposed(_ address: String) -> Bool {
        guard address.hasPrefix("http://") else { return false }
        return !isLoopback(host(of: address.dropFirst("http://".count)))
    }

    /// The host of an address without its scheme: up to a port or a path, without the brackets of an IPv6 address.
    private static func host(of rest: Substring) -> String {
        let authority = rest.prefix { $0 != "/" }
        if authority.first == "[" { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    /// Whether a host can only be this machine. Compares whole names: `localhost.example` may belong to anyone.
    private static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in part.allSatisfy(\.isASCII) && UInt8(part) != nil && !part.hasPrefix("+") }
    }
}
