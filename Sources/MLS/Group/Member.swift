/// A member as the rest of a program sees it: the public part of a leaf.
public struct Member: Hashable, Sendable {
    public let index: LeafIndex
    public let credential: Credential
    public let signatureKey: [UInt8]

    package init(index: LeafIndex, credential: Credential, signatureKey: [UInt8]) {
        self.index = index
        self.credential = credential
        self.signatureKey = signatureKey
    }

    /// The identity of a basic credential; empty for credentials of other types.
    public var identity: [UInt8] { credential.identity }

    init(_ leaf: LeafNode, at index: LeafIndex) {
        self.init(index: index, credential: leaf.credential, signatureKey: leaf.signatureKey)
    }
}

extension Member: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        self.init(index: try reader.read(), credential: try reader.read(), signatureKey: try reader.readOpaque())
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(index)
        writer.write(credential)
        writer.writeOpaque(signatureKey)
    }
}
