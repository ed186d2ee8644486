/// A server's base URL as people type it.
enum ServerAddress {
    /// The address with a scheme (https where none was given) and without a slash at its end.
    ///
    /// - Throws: ``Failure`` for anything that is not an http or https address with a host, or that carries a password or a query.
    static func normalized(_ text: String) throws(Failure) -> String {
        let wrong = Failure(
            .usage, "this is no server address",
            hint: "for example: --server https://chat.example.org, or --server host:8443")
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

    /// Sees to it that no one sends a password in the clear without having said so.
    ///
    /// - Parameter isKnown: the profile has talked to this server before; that goes on, and its owner is told once.
    /// - Throws: ``Failure`` `usage` for an http address beyond this machine that no one allowed.
    static func check(_ address: String, _ settings: inout Settings, isKnown: Bool) throws(Failure) {
        guard isExposed(address) else { return }
        if settings.insecureHTTP == true {
            Console.note("note: http:// shows your password and who you talk to on the way; the messages stay sealed")
            return
        }
        guard isKnown else {
            throw Failure(
                .usage, "with \(address) your password and who you talk to can be read on the way",
                hint: "use an https:// address; if the way there is safe, say so: --insecure-http")
        }
        tellOnce(address, &settings)
    }

    /// Tells the owner of a profile of old, once, that it goes an exposed way and how to say that this is meant.
    ///
    /// - Returns: whether the settings changed.
    @discardableResult
    static func tellOnce(_ address: String, _ settings: inout Settings) -> Bool {
        guard isExposed(address), settings.insecureHTTP == nil else { return false }
        Console.note("note: this profile reaches \(address) in the clear: who you talk to can be read on the way")
        Console.note("  if that is meant, say so: `waxwing login --insecure-http`; this is not said again")
        settings.insecureHTTP = false
        return true
    }

    /// Whether what is sent there can be read on the way (the messages themselves never can).
    static func isExposed(_ address: String) -> Bool {
        guard address.hasPrefix("http://") else { return false }
        return !isLoopback(host(of: address.dropFirst("http://".count)))
    }

    /// The host of an address without its scheme: up to a port or a path, without the brackets of an IPv6 address.
    private static func host(of rest: Substring) -> String {
        let authority = rest.prefix { $0 != "/" }
        if authority.first == "[" { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    /// Whether a host can only be this machine. Names are compared as a whole: `localhost.example` is anybody's.
    private static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { part in part.allSatisfy(\.isASCII) && UInt8(part) != nil && !part.hasPrefix("+") }
    }
}
