/// The object of one line, or an object inside it: its fields by name and kind.
///
/// A field that is null counts as absent. Fields that no one asks for are ignored.
struct Request {
    private let fields: [String: PeerJSON]

    init(_ fields: [String: PeerJSON]) { self.fields = fields }

    /// - Throws: ``PeerError`` for anything but a JSON object.
    init(line: [UInt8]) throws {
        let value = try JSONReader.read(line)
        guard case .object(let fields) = value else { throw PeerError("the line is \(value.kind), not an object") }
        self.fields = fields
    }

    /// What names the request; null counts.
    var id: PeerJSON? { fields["id"] }

    func has(_ name: String) -> Bool { field(name) != nil }

    private func field(_ name: String) -> PeerJSON? {
        if let value = fields[name], value != .null { value } else { nil }
    }

    private func required<T>(_ name: String, _ value: T?) throws -> T {
        guard let value else { throw PeerError("the field `\(name)` is missing") }
        return value
    }

    private func wrong(_ name: String, _ value: PeerJSON, expected: String) -> PeerError {
        PeerError("the field `\(name)` is \(value.kind), not \(expected)")
    }
}

extension Request {
    func text(_ name: String) throws -> String { try required(name, optionalText(name)) }

    private func optionalText(_ name: String) throws -> String? {
        switch field(name) {
        case nil: return nil
        case .string(let text)?: return text
        case let other?: throw wrong(name, other, expected: "a text")
        }
    }

    func bytes(_ name: String) throws -> [UInt8] { try required(name, optionalBytes(name)) }

    func optionalBytes(_ name: String) throws -> [UInt8]? {
        switch field(name) {
        case nil: return nil
        case let value?: return try bytes(value, in: name)
        }
    }

    func listOfBytes(_ name: String) throws -> [[UInt8]] {
        try required(name, optionalArray(name)).map { try bytes($0, in: name) }
    }

    private func bytes(_ value: PeerJSON, in name: String) throws -> [UInt8] {
        guard case .string(let text) = value else { throw wrong(name, value, expected: "hexadecimal text") }
        guard let bytes = Hex.bytes(text) else {
            throw PeerError("the field `\(name)` is not an even number of hexadecimal digits")
        }
        return bytes
    }

    func bool(_ name: String, default standard: Bool) throws -> Bool { try optionalBool(name) ?? standard }

    func optionalBool(_ name: String) throws -> Bool? {
        switch field(name) {
        case nil: return nil
        case .bool(let value)?: return value
        case let other?: throw wrong(name, other, expected: "a boolean")
        }
    }

    func integer<T: FixedWidthInteger>(_ name: String, as type: T.Type = T.self) throws -> T {
        try required(name, optionalInteger(name))
    }

    func optionalInteger<T: FixedWidthInteger>(_ name: String, as: T.Type = T.self) throws -> T? {
        try field(name).map { try integer($0, in: name) }
    }

    /// An absent list is empty.
    func integers<T: FixedWidthInteger>(_ name: String, as: T.Type = T.self) throws -> [T] {
        try optionalArray(name)?.map { try integer($0, in: name) } ?? []
    }

    private func integer<T: FixedWidthInteger>(_ value: PeerJSON, in name: String) throws -> T {
        let exact: T? =
            switch value {
            case .integer(let value): T(exactly: value)
            case .large(let value): T(exactly: value)
            default: throw wrong(name, value, expected: "an integer")
            }
        guard let exact else { throw PeerError("the field `\(name)` is not between \(T.min) and \(T.max)") }
        return exact
    }

    func optionalObject(_ name: String) throws -> Request? {
        try field(name).map { try object($0, in: name) }
    }

    func object(_ name: String) throws -> Request { try required(name, optionalObject(name)) }

    /// An absent list is empty.
    func objects(_ name: String) throws -> [Request] {
        try optionalArray(name)?.map { try object($0, in: name) } ?? []
    }

    private func object(_ value: PeerJSON, in name: String) throws -> Request {
        guard case .object(let fields) = value else { throw wrong(name, value, expected: "an object") }
        return Request(fields)
    }

    private func optionalArray(_ name: String) throws -> [PeerJSON]? {
        switch field(name) {
        case nil: return nil
        case .array(let values)?: return values
        case let other?: throw wrong(name, other, expected: "an array")
        }
    }
}
