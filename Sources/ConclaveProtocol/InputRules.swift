/// The protocol's rules for what people type, so that a mistake is reported before anything is sent.
///
/// Each function returns nil for a valid input, otherwise one sentence for people that does not repeat the input.
public enum InputRules {
    /// 1 to 64 characters: letters and digits of ASCII and underscores, the first not an underscore.
    public static func problem(username: String) -> String? { problem(name: username, "username") }

    /// 1 to 64 characters: letters and digits of ASCII and underscores, the first not an underscore.
    public static func problem(groupName: String) -> String? { problem(name: groupName, "group name") }

    /// At most 64 bytes of UTF-8 without control characters; empty means none.
    public static func problem(alias: String) -> String? {
        if alias.utf8.count > ProtocolLimits.aliasLength {
            return "An alias can be at most \(ProtocolLimits.aliasLength) bytes long."
        }
        if alias.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "An alias cannot contain control characters."
        }
        return nil
    }

    /// An alias that came from someone else; empty if it breaks the rule.
    public static func kept(alias: String) -> String { problem(alias: alias) == nil ? alias : "" }

    /// At least 8 bytes of UTF-8.
    public static func problem(password: String) -> String? {
        password.utf8.count < ProtocolLimits.passwordMinimum
            ? "A password needs at least \(ProtocolLimits.passwordMinimum) characters." : nil
    }

    private static func problem(name: String, _ kind: String) -> String? {
        if name.isEmpty { return "A \(kind) cannot be empty." }
        if name.utf8.count > ProtocolLimits.nameLength {
            return "A \(kind) can be at most \(ProtocolLimits.nameLength) characters long."
        }
        let isAlphanumeric = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard name.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "_") }) else {
            return "A \(kind) consists of the letters A to Z and a to z, digits and underscores."
        }
        guard let first = name.utf8.first, isAlphanumeric(first) else {
            return "A \(kind) begins with a letter or a digit."
        }
        return nil
    }
}
