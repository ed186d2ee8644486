/// The position of a member in the ratchet tree: leaf 0 is the creator's (RFC 9420 §4.2).
public struct LeafIndex: Hashable, Comparable, Sendable, TLSEncodable, TLSDecodable, CustomStringConvertible {
    public let value: UInt32

    package init(_ value: UInt32) { self.value = value }
    package init(from reader: inout TLSReader) throws(MLSError) { value = try reader.read() }
    package func encode(to writer: inout TLSWriter) { writer.write(value) }

    public static func < (a: LeafIndex, b: LeafIndex) -> Bool { a.value < b.value }
    public var description: String { "leaf \(value)" }
    /// The leaf's position in the array form; for an index no tree can have, one that is outside every tree.
    public var node: NodeIndex { NodeIndex(value <= .max / 2 ? value * 2 : .max - 1) }
}

/// The position of a node in the array form of the tree: leaves are even, parents odd (RFC 9420 appendix C).
public struct NodeIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }
    public static func < (a: NodeIndex, b: NodeIndex) -> Bool { a.value < b.value }
    public var description: String { "node \(value)" }
    package var leaf: LeafIndex? { value % 2 == 0 ? LeafIndex(value / 2) : nil }
}
