/// The name of one record of a stored group.
///
/// On disk: `s` the state of the present epoch, `t` + tier + number a ``TreeBlock`` of the ratchet tree, `p` + number a
/// proposal that waits, `o` + reference one that is aside, `m` a mark that there are some of those, and under `e` +
/// epoch what opens the epoch's messages: `h` the head of a past epoch, `n` + node a secret of the secret tree, `r` +
/// kind + leaf a ratchet, `k` + kind + leaf + generation a skipped key. Numbers are big-endian, so the records of an
/// epoch share a prefix.
enum RecordKey: Hashable, Sendable {
    case state
    case tree(TreeBlock)
    case proposal(UInt32)
    case asideProposal(ProposalRef)
    case asideMark
    case pastEpoch(UInt64)
    case node(UInt64, NodeIndex)
    case ratchet(UInt64, SecretTree.RatchetID)
    case skipped(UInt64, SecretTree.RatchetID, generation: UInt32)

    var epoch: UInt64? {
        switch self {
        case .state, .tree, .proposal, .asideProposal, .asideMark: nil
        case .pastEpoch(let epoch), .node(let epoch, _), .ratchet(let epoch, _), .skipped(let epoch, _, _): epoch
        }
    }

    static func touched(by step: SecretTree.Step, epoch: UInt64) -> [RecordKey] {
        step.consumedNodes.map { .node(epoch, $0) } + step.newNodes.map { .node(epoch, $0.index) }
            + step.ratchets.map { .ratchet(epoch, $0.id) }
            + step.newSkipped.map { .skipped(epoch, step.id, generation: $0.generation) }
            + step.droppedSkipped.map { .skipped(epoch, step.id, generation: $0) }
    }

    /// What the keys of all records of an epoch begin with.
    static func prefix(epoch: UInt64) -> [UInt8] {
        var writer = TLSWriter()
        writer.write(Self.epochTag)
        writer.write(epoch)
        return writer.bytes
    }

    private static let epochTag = UInt8(ascii: "e")
    /// What the keys of all proposals that are aside begin with.
    static let asideTag = UInt8(ascii: "o")
}

extension RecordKey: TLSEncodable, TLSDecodable {
    func encode(to writer: inout TLSWriter) {
        if let epoch { writer.writeRaw(Self.prefix(epoch: epoch)) }
        switch self {
        case .state: writer.write(UInt8(ascii: "s"))
        case .tree(let block):
            writer.write(UInt8(ascii: "t"))
            writer.write(block)
        case .proposal(let number):
            writer.write(UInt8(ascii: "p"))
            writer.write(number)
        case .asideProposal(let reference):
            writer.write(Self.asideTag)
            writer.write(reference)
        case .asideMark: writer.write(UInt8(ascii: "m"))
        case .pastEpoch: writer.write(UInt8(ascii: "h"))
        case .node(_, let index):
            writer.write(UInt8(ascii: "n"))
            writer.write(index.value)
        case .ratchet(_, let id):
            writer.write(UInt8(ascii: "r"))
            writer.write(id)
        case .skipped(_, let id, let generation):
            writer.write(UInt8(ascii: "k"))
            writer.write(id)
            writer.write(generation)
        }
    }

    init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case UInt8(ascii: "s"): self = .state
        case UInt8(ascii: "t"): self = .tree(try reader.read())
        case UInt8(ascii: "p"): self = .proposal(try reader.read())
        case Self.asideTag: self = .asideProposal(try reader.read())
        case UInt8(ascii: "m"): self = .asideMark
        case Self.epochTag:
            let epoch: UInt64 = try reader.read()
            switch try reader.read(UInt8.self) {
            case UInt8(ascii: "h"): self = .pastEpoch(epoch)
            case UInt8(ascii: "n"): self = .node(epoch, NodeIndex(try reader.read()))
            case UInt8(ascii: "r"): self = .ratchet(epoch, try reader.read())
            case UInt8(ascii: "k"): self = .skipped(epoch, try reader.read(), generation: try reader.read())
            default: throw MLSError(.malformed, "a record of an epoch that does not exist")
            }
        default: throw MLSError(.malformed, "a record that does not exist")
        }
    }
}

extension SecretTree.RatchetID: TLSEncodable, TLSDecodable {
    package func encode(to writer: inout TLSWriter) {
        writer.write(kind.rawValue)
        writer.write(leaf)
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        guard let kind = SecretTree.Kind(rawValue: try reader.read()) else {
            throw MLSError(.malformed, "a ratchet that does not exist")
        }
        self.kind = kind
        leaf = try reader.read()
    }
}
