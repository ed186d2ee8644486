/// A change that somebody asks for (RFC 9420 §12.1).
public enum Proposal: Hashable, Sendable {
    case add(KeyPackage)
    case update(LeafNode)
    case remove(LeafIndex)
    case preSharedKey(PreSharedKeyID)
    case reInit(ReInit)
    case externalInit(kemOutput: [UInt8])
    case groupContextExtensions([Extension])

    /// The type on the wire (RFC 9420 §17.4).
    public var type: UInt16 {
        switch self {
        case .add: 1
        case .update: 2
        case .remove: 3
        case .preSharedKey: 4
        case .reInit: 5
        case .externalInit: 6
        case .groupContextExtensions: 7
        }
    }
}

extension Proposal: TLSEncodable, TLSDecodable {
    /// - Throws: `unsupported` for another type: its content has no length in front, so what follows cannot be read either.
    public init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt16.self) {
        case 1: self = .add(try reader.read())
        case 2: self = .update(try reader.read())
        case 3: self = .remove(try reader.read())
        case 4: self = .preSharedKey(try reader.read())
        case 5: self = .reInit(try reader.read())
        case 6: self = .externalInit(kemOutput: try reader.readOpaque())
        case 7: self = .groupContextExtensions(try reader.readVector())
        case let type: throw MLSError(.unsupported, "proposal type \(type)")
        }
    }

    public func encode(to writer: inout TLSWriter) {
        writer.write(type)
        switch self {
        case .add(let keyPackage): writer.write(keyPackage)
        case .update(let leaf): writer.write(leaf)
        case .remove(let index): writer.write(index)
        case .preSharedKey(let id): writer.write(id)
        case .reInit(let reInit): writer.write(reInit)
        case .externalInit(let kemOutput): writer.writeOpaque(kemOutput)
        case .groupContextExtensions(let extensions): writer.writeVector(extensions)
        }
    }
}
