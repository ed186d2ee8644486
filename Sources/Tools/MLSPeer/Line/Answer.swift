/// The fields of an answer to a request that succeeded, in the order they are written.
struct Answer: Sendable, ExpressibleByDictionaryLiteral {
    private(set) var fields: [(name: String, value: PeerJSON)]

    init(dictionaryLiteral elements: (String, PeerJSON)...) { fields = elements.map { ($0.0, $0.1) } }

    static let empty: Answer = [:]

    static func + (a: Answer, b: Answer) -> Answer {
        var sum = a
        sum.fields += b.fields
        return sum
    }

    /// The line of a request that was carried out.
    func line(id: PeerJSON?) -> [UInt8] {
        Self.line(id: id, [("ok", .bool(true))] + fields)
    }

    /// The line for a request that was not carried out.
    static func line(id: PeerJSON?, error: String) -> [UInt8] {
        line(id: id, [("ok", .bool(false)), ("error", .string(error))])
    }

    private static func line(id: PeerJSON?, _ fields: [(name: String, value: PeerJSON)]) -> [UInt8] {
        var text: [UInt8] = []
        PeerJSON.write((id.map { [("id", $0)] } ?? []) + fields, to: &text)
        return text
    }
}
