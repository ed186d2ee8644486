/// A node of the ratchet tree as it is written in the ratchet_tree extension (RFC 9420 §12.4.3.3).
///
/// Indirect, so that copying a page of nodes costs one reference count each.
package indirect enum Node: Hashable, Sendable {
    case leaf(LeafNode)
    case parent(ParentNode)

    package var encryptionKey: [UInt8] {
        switch self {
        case .leaf(let leaf): leaf.encryptionKey
        case .parent(let parent): parent.encryptionKey
        }
    }
}

extension Node: TLSEncodable, TLSDecodable {
    package func encode(to writer: inout TLSWriter) {
        switch self {
        case .leaf(let leaf):
            writer.write(UInt8(1))
            writer.write(leaf)
        case .parent(let parent):
            writer.write(UInt8(2))
            writer.write(parent)
        }
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .leaf(try reader.read())
        case 2: self = .parent(try reader.read())
        case let value: throw MLSError(.malformed, "a node type is \(value)")
        }
    }
}
