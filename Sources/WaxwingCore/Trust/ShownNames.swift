public import ConclaveProtocol

/// How people are called in print: their names, with the beginning of the id after each name that could be mistaken for
/// someone else's.
///
/// Names come from the server, which may make two alike. The rule for them allows no letters but those of ASCII, so a
/// look-alike differs in case, in digits for letters, in underscores, or in pairs of letters that look like one.
public struct ShownNames: Sendable {
    /// Between a name and the beginning of an id. It occurs in no name and no id.
    public static let separator: Character = "."

    private static let idLength = 8
    private var shown: [ID: String] = [:]
    /// The beginnings of ids that stand for people without a name.
    private var beginnings: Set<Substring> = []

    /// - Parameter names: everyone who is known; a name that breaks the rule counts as none.
    public init(_ names: some Sequence<(key: ID, value: String)>) {
        var alike: [String: [(id: ID, name: String)]] = [:]
        for (id, given) in names {
            let name = InputRules.problem(username: given) == nil ? given : ""
            if name.isEmpty { beginnings.insert(id.description.prefix(Self.idLength)) }
            let look = name.isEmpty ? String(id.description.prefix(Self.idLength)) : name
            alike[Self.folded(look), default: []].append((id, name))
        }
        for people in alike.values {
            if people.count == 1, let (id, name) = people.first, !name.isEmpty, !Self.couldBeAnID(name) {
                shown[id] = name
                continue
            }
            // The server chooses the ids, too.
            let isShort = Set(people.map { $0.id.description.prefix(Self.idLength) }).count == people.count
            for (id, name) in people {
                let place = isShort ? String(id.description.prefix(Self.idLength)) : id.description
                shown[id] = name.isEmpty ? place : name + String(Self.separator) + place
            }
        }
    }

    /// How someone is called: no one else who is known is called that, or something like it.
    public func name(of id: ID) -> String {
        if let known = shown[id] { return known }
        let beginning = id.description.prefix(Self.idLength)
        return beginnings.contains(beginning) ? id.description : String(beginning)
    }

    private static func couldBeAnID(_ name: String) -> Bool {
        name.utf8.count == idLength && name.allSatisfy(\.isHexDigit)
    }

    /// The same for names that look alike.
    static func folded(_ name: String) -> String {
        var look: [UInt8] = []
        for byte in name.utf8 {
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            let letter = isUpper ? byte | 0x20 : byte
            switch letter {
            case UInt8(ascii: "_"): break
            case UInt8(ascii: "0"): look.append(UInt8(ascii: "o"))
            case UInt8(ascii: "1"), UInt8(ascii: "i"): look.append(UInt8(ascii: "l"))
            case UInt8(ascii: "2"): look.append(UInt8(ascii: "z"))
            case UInt8(ascii: "5"): look.append(UInt8(ascii: "s"))
            case UInt8(ascii: "8"): look.append(UInt8(ascii: "b"))
            case UInt8(ascii: "n") where look.last == UInt8(ascii: "r"): look[look.count - 1] = UInt8(ascii: "m")
            case UInt8(ascii: "v") where look.last == UInt8(ascii: "v"): look[look.count - 1] = UInt8(ascii: "w")
            default: look.append(letter)
            }
        }
        return String(decoding: look, as: UTF8.self)
    }
}
