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

    /// Whether what is sent there can be read on the way (the messages themselves never can).
    static func isExposed(_ address: String) -> Bool {
        guard address.hasPrefix("http://") else { return false }
        let host = address.dropFirst("http://".count)
        let isLoopback = ["127.", "localhost", "[::1]"].contains { host.hasPrefix($0) }
        return !isLoopback
    }
}
