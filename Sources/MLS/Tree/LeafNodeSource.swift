/// Where a leaf node came from, with what only that origin has (RFC 9420 §7.2).
package enum LeafNodeSource: Hashable, Sendable {
    case keyPackage(Lifetime)
    case update
    case commit(parentHash: [UInt8])
}

extension LeafNodeSource: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .keyPackage(try reader.read())
        case 2: self = .update
        case 3: self = .commit(parentHash: try reader.readOpaque())
        case let value: throw MLSError(.malformed, "a leaf node source is \(value)")
        }
    }

    package func encode(to writer: inout TLSWriter) {
        switch self {
        case .keyPackage(let lifetime):
            writer.write(UInt8(1))
            writer.write(lifetime)
        case .update:
            writer.write(UInt8(2))
        case .commit(let parentHash):
            writer.write(UInt8(3))
            writer.writeOpaque(parentHash)
        }
    }
}
