/// What is wrong with a text that someone typed.
public enum InputProblem: Hashable, Sendable, CustomStringConvertible {
    /// What the text is for.
    public enum Field: String, Hashable, Sendable {
        case username
        case groupName
        case alias
        case password
    }

    case empty(Field)
    /// Longer than `limit` bytes of UTF-8.
    case tooLong(Field, limit: Int)
    /// Shorter than `limit` bytes of UTF-8.
    case tooShort(Field, limit: Int)
    /// A name has characters other than the letters A to Z and a to z, digits and underscores.
    case badCharacters(Field)
    /// A name begins with an underscore.
    case badFirstCharacter(Field)
    case controlCharacters(Field)

    /// One sentence without a full stop that does not repeat the input.
    public var description: String {
        switch self {
        case .empty(let field): "\(field.words) cannot be empty"
        case .tooLong(let field, let limit) where field == .alias: "\(field.words) can be at most \(limit) bytes long"
        case .tooLong(let field, let limit): "\(field.words) can be at most \(limit) characters long"
        case .tooShort(let field, let limit): "\(field.words) needs at least \(limit) characters"
        case .badCharacters(let field):
            "\(field.words) consists of the letters A to Z and a to z, digits and underscores"
        case .badFirstCharacter(let field): "\(field.words) begins with a letter or a digit"
        case .controlCharacters(let field): "\(field.words) cannot contain control characters"
        }
    }
}

extension InputProblem.Field {
    fileprivate var words: String {
        switch self {
        case .username: "a username"
        case .groupName: "a group name"
        case .alias: "an alias"
        case .password: "a password"
        }
    }
}

/// The protocol's rules for what people type, so that a mistake is reported before anything is sent.
///
/// Each function returns nil for a valid input.
public enum InputRules {
    /// 1 to 64 characters: letters and digits of ASCII and underscores, the first not an underscore.
    public static func problem(username: String) -> InputProblem? { problem(name: username, .username) }

    /// 1 to 64 characters: letters and digits of ASCII and underscores, the first not an underscore.
    public static func problem(groupName: String) -> InputProblem? { problem(name: groupName, .groupName) }

    /// At most 64 bytes of UTF-8 without control characters; empty means none.
    public static func problem(alias: String) -> InputProblem? {
        if alias.utf8.count > ProtocolLimits.aliasLength {
            return .tooLong(.alias, limit: ProtocolLimits.aliasLength)
        }
        if alias.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return .controlCharacters(.alias)
        }
        return nil
    }

    /// An alias that came from someone else; empty if it breaks the rule.
    public static func kept(alias: String) -> String { problem(alias: alias) == nil ? alias : "" }

    /// At least 8 bytes of UTF-8.
    public static func problem(password: String) -> InputProblem? {
        password.utf8.count < ProtocolLimits.passwordMinimum
            ? .tooShort(.password, limit: ProtocolLimits.passwordMinimum) : nil
    }

    private static func problem(name: String, _ field: InputProblem.Field) -> InputProblem? {
        if name.isEmpty { return .empty(field) }
        if name.utf8.count > ProtocolLimits.nameLength { return .tooLong(field, limit: ProtocolLimits.nameLength) }
        let isAlphanumeric = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard name.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "_") }) else {
            return .badCharacters(field)
        }
        guard let first = name.utf8.first, isAlphanumeric(first) else { return .badFirstCharacter(field) }
        return nil
    }
}
