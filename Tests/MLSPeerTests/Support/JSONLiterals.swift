@testable import MLSPeer

extension PeerJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: PeerJSON...) { self = .array(elements) }

    public init(dictionaryLiteral elements: (String, PeerJSON)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }

    var text: String {
        var line: [UInt8] = []
        write(to: &line)
        return String(decoding: line, as: UTF8.self)
    }
}
