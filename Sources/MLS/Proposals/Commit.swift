/// The step from one epoch to the next (RFC 9420 §12.4).
package struct Commit: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let proposals: [ProposalOrRef]
    package let path: UpdatePath?

    package init(proposals: [ProposalOrRef], path: UpdatePath?) {
        self.proposals = proposals
        self.path = path
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        proposals = try reader.readVector(atMost: Limits.commitProposals)
        path = try reader.readOptional()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeVector(proposals)
        writer.writeOptional(path)
    }
}

/// A proposal inside a commit: itself, or the hash of the message that brought it (RFC 9420 §12.4).
package enum ProposalOrRef: Hashable, Sendable {
    case proposal(Proposal)
    case reference(ProposalRef)
}

extension ProposalOrRef: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .proposal(try reader.read())
        case 2: self = .reference(try reader.read())
        case let type: throw MLSError(.malformed, "a ProposalOrRef type is \(type)")
        }
    }

    package func encode(to writer: inout TLSWriter) {
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
