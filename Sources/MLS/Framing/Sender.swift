/// Who sent a framed message (RFC 9420 §6).
public enum Sender: Hashable, Sendable {
    case member(LeafIndex)
    /// An entry of the group's external_senders extension.
    case external(UInt32)
    case newMemberProposal
    /// The author of an external commit.
    case newMemberCommit

    /// The leaf of a member; nil for other senders.
    package var member: LeafIndex? { if case .member(let index) = self { index } else { nil } }
}

extension Sender: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .member(try reader.read())
        case 2: self = .external(try reader.read())
        case 3: self = .newMemberProposal
        case 4: self = .newMemberCommit
        case let type: throw MLSError(.malformed, "a sender type is \(type)")
        }
    }

    package func encode(to writer: inout TLSWriter) {
        switch self {
        case .member(let index):
            writer.write(UInt8(1))
            writer.write(index)
        case .external(let index):
            writer.write(UInt8(2))
            writer.write(index)
        case .newMemberProposal: writer.write(UInt8(3))
        case .newMemberCommit: writer.write(UInt8(4))
        }
    }
}
