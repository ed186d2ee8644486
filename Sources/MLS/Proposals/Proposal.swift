/// A change that someone asks for (RFC 9420 §12.1).
public enum Proposal: Hashable, Sendable {
    case add(KeyPackage)
    case update(LeafNode)
    case remove(LeafIndex)
    case preSharedKey(PreSharedKeyID)
    case reInit(ReInit)
    case externalInit(kemOutput: [UInt8])
    case groupContextExtensions([Extension])

    package var type: ProposalType {
        switch self {
        case .add: .add
        case .update: .update
        case .remove: .remove
        case .preSharedKey: .preSharedKey
        case .reInit: .reInit
        case .externalInit: .externalInit
        case .groupContextExtensions: .groupContextExtensions
        }
    }
}

extension Proposal: TLSEncodable, TLSDecodable {
    /// - Throws: `unsupported` for another type: its content has no length in front, so what follows cannot be read
    ///   either.
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(ProposalType.self) {
        case .add: self = .add(try reader.read())
        case .update: self = .update(try reader.read())
        case .remove: self = .remove(try reader.read())
        case .preSharedKey: self = .preSharedKey(try reader.read())
        case .reInit: self = .reInit(try reader.read())
        case .externalInit: self = .externalInit(kemOutput: try reader.readOpaque())
        case .groupContextExtensions: self = .groupContextExtensions(try reader.readExtensions())
        case let type: throw MLSError(.unsupported, "proposal type \(type.rawValue)")
        }
    }

    package func encode(to writer: inout TLSWriter) {
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
