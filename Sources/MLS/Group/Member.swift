/// A member as the rest of a program sees it: the public part of a leaf.
public struct Member: Hashable, Sendable {
    public let index: LeafIndex
    public let credential: Credential
    public let signatureKey: [UInt8]

    public init(index: LeafIndex, credential: Credential, signatureKey: [UInt8]) {
        self.index = index
        self.credential = credential
        self.signatureKey = signatureKey
    }

    /// The identity of a basic credential; empty for credentials of other types.
    public var identity: [UInt8] {
        if case .basic(let identity) = credential { identity } else { [] }
    }
}
