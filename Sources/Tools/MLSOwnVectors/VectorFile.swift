import Foundation

/// A file of cases, one on each line, so that a diff shows which case has changed.
struct VectorFile {
    let name: String
    let cases: [String]

    var text: String { "[\n" + cases.joined(separator: ",\n") + "\n]\n" }

    /// A case in JSON, with its keys in order.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Bytes as vector files write them.
struct HexString: Encodable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
    }
}
