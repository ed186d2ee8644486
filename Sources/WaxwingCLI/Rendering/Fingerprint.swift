/// Fingerprints of signature keys: SHA-256 in hex, read aloud in 8 groups of 8.
enum Fingerprint {
    static func grouped(_ hex: String) -> String {
        var groups: [Substring] = []
        var rest = hex[...]
        while !rest.isEmpty {
            groups.append(rest.prefix(8))
            rest = rest.dropFirst(8)
        }
        return groups.joined(separator: " ")
    }

    /// Normalizes what people type: lower case, without spaces, hyphens and colons.
    static func plain(_ typed: String) -> String {
        typed.lowercased().filter { !" -:".contains($0) }
    }
}
