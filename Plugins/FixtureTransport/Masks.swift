import ConclaveProtocol
import OpenSSLPrimitives

/// Placeholders for passwords and tokens in a fixture: the same for the same secret, so that lines still match.
struct Masks: Sendable {
    private var passwords: [String: String] = [:]

    /// The passwords of a session are numbered.
    mutating func password(_ text: String) -> String {
        if let mask = passwords[text] { return mask }
        let mask = "\(Self.passwordPrefix)\(passwords.count + 1)"
        passwords[text] = mask
        return mask
    }

    private static let passwordPrefix = "password-"

    /// Whether a text is a placeholder for a password.
    static func isPassword(_ text: String) -> Bool {
        text.hasPrefix(passwordPrefix) && Int(text.dropFirst(passwordPrefix.count)) != nil
    }

    /// A token is 256 random bits on every server we know, so a few digits of its hash tell two apart and reveal
    /// nothing. Another process that continues the recording finds the same placeholder.
    static func token(_ text: String) -> String {
        let (prefix, digits) = ("token-", 8)
        // A replay may itself be recorded.
        if text.hasPrefix(prefix), text.count == prefix.count + digits { return text }
        return prefix + hexEncode(SHA256.of(Array(text.utf8))).prefix(digits)
    }

    /// Marks a placeholder as used. What is not a placeholder was written by a stranger.
    mutating func reserve(_ mask: String) {
        if Self.isPassword(mask), passwords[mask] == nil { passwords[mask] = mask }
    }

    mutating func body(
        _ body: [UInt8], _ side: WireBody.Side, _ method: APIRequest.Method, _ path: String
    ) -> [UInt8] {
        WireBody.replacingSecrets(in: body, of: side, method, path) { kind, text in
            switch kind {
            case .password: password(text)
            case .token: Self.token(text)
            }
        }
    }

    /// A command line without the options that name the way to the server or the source of the password: they may carry
    /// credentials, and mean nothing elsewhere. Of a file with a token, only the fact that there was one is kept.
    /// Credentials in the address of a server, where no one should put them, are left out, too.
    static func arguments(_ arguments: [String]) -> [String] {
        let hidden = [
            "--proxy", "--token-header", "--ca-file", "--transport", "--store", "--password-file", "--password-fd",
        ]
        let (server, tokenFile) = ("--server", "--registration-token-file")
        var result: [String] = []
        var isValue = false
        for argument in arguments {
            if isValue {
                isValue = false
            } else if hidden.contains(argument) {
                isValue = true
            } else if argument.hasPrefix(server + "=") {
                result.append(server + "=" + address(String(argument.dropFirst(server.count + 1))))
            } else if argument.hasPrefix(tokenFile + "=") {
                result.append(tokenFile + "=-")
            } else if result.last == tokenFile {
                result.append("-")
            } else if result.last == server {
                result.append(address(argument))
            } else if !hidden.contains(where: { argument.hasPrefix($0 + "=") }) {
                result.append(withoutCredentials(argument))
            }
        }
        return result
    }

    private static let hiddenCredentials = "…"

    /// The address of a server, without anything before an `@`.
    private static func address(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
        return start <= at ? text[..<start] + hiddenCredentials + text[at...] : text
    }

    /// Any text, with each `https://name:password@host` in it reduced to the host.
    private static func withoutCredentials(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let mark = rest.firstRange(of: "://") {
            result += rest[..<mark.upperBound]
            rest = rest[mark.upperBound...]
            let authority = rest.prefix { !"/?# \t\n".contains($0) }
            if let at = authority.lastIndex(of: "@") {
                result += hiddenCredentials
                rest = rest[at...]
            }
        }
        return result + rest
    }
}
