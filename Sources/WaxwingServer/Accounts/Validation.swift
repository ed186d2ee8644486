import ConclaveProtocol

/// The protocol's rules for what people type.
enum Validation {
    /// Usernames and group names: 1 to 64 bytes, a letter or digit first, then letters, digits and underscores.
    static func name(_ text: String, what: String) throws {
        guard isName(text) else {
            throw APIError.validation(
                "a \(what) is 1 to \(ServerLimits.nameBytes) letters, digits and underscores, not beginning with an underscore"
            )
        }
    }

    static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return (1...ServerLimits.nameBytes).contains(bytes.count) && isLetterOrDigit(bytes[0])
            && bytes.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
    }

    static func alias(_ text: String) throws {
        let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard text.utf8.count <= ServerLimits.aliasBytes, !hasControl else {
            throw APIError.validation("an alias has at most \(ServerLimits.aliasBytes) bytes and no control characters")
        }
    }

    static func password(_ text: String) throws {
        guard (ServerLimits.passwordBytesMin...ServerLimits.passwordBytesMax).contains(text.utf8.count) else {
            throw APIError.validation(
                "a password has \(ServerLimits.passwordBytesMin) to \(ServerLimits.passwordBytesMax) bytes")
        }
    }

    /// A fingerprint is hexadecimal text, or empty if the client gives none.
    static func fingerprint(_ text: String) throws {
        guard text.utf8.count <= ServerLimits.fingerprintBytes, hexDecode(text.utf8) != nil else {
            throw APIError.badRequest("the signing key fingerprint is not hexadecimal text")
        }
    }

    /// Lower-case hexadecimal text, as the protocol writes MLS group ids.
    static func mlsGroupID(_ text: String) throws {
        guard text.utf8.count <= ServerLimits.mlsGroupIDDigits, let bytes = hexDecode(text.utf8),
            hexEncode(bytes) == text
        else { throw APIError.badRequest("mls_group_id is not lower-case hexadecimal text") }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
