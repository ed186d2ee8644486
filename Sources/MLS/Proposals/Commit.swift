/// The step from one epoch to the next (RFC 9420 §12.4).
public struct Commit: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let proposals: [ProposalOrRef]
    public let path: UpdatePath?

    public init(proposals: [ProposalOrRef], path: UpdatePath?) {
        self.proposals = proposals
        self.path = path
    }

    public init(from reader: inout TLSReader) throws(MLSError) {
        proposals = try reader.readVector(atMost: Limits.commitProposals)
        path = try reader.readOptional()
    }

    public func encode(to writer: inout TLSWriter) {
        writer.writeVector(proposals)
        writer.writeOptional(path)
    }
}

/// A proposal inside of a commit: itself, or the hash of the message that brought it (RFC 9420 §12.4).
public enum ProposalOrRef: Hashable, Sendable {
    case proposal(Proposal)
    case reference(ProposalRef)
}

extension ProposalOrRef: TLSEncodable, TLSDecodable {
    public init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .proposal(try reader.read())
        case 2: self = .reference(try reader.read())
        case let type: throw MLSError(.malformed, "a ProposalOrRef type is \(type)")
        }
    }

    public func encode(to writer: inout TLSWriter) {
        switch self {
        case .proposal(let proposal):
            writer.write(UInt8(1))
            writer.write(proposal)
        case .reference(let reference):
            writer.write(UInt8(2))
            writer.write(reference)
        }
    }
}
