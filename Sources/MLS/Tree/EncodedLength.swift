/// How long nodes are when encoded, added up without encoding them: a tree keeps the sum at every change.
extension Node {
    /// In bytes, with its type and the presence byte of its place in the ratchet_tree extension.
    var encodedLength: Int {
        switch self {
        case .leaf(let leaf): 2 + leaf.encodedLength
        case .parent(let parent):
            2 + vectorLength(parent.encryptionKey.count) + vectorLength(parent.parentHash.count)
                + vectorLength(parent.unmergedLeaves.count * 4)
        }
    }
}

extension LeafNode {
    /// In bytes.
    var encodedLength: Int {
        let sourceLength =
            switch source {
            case .keyPackage: 17
            case .update: 1
            case .commit(let parentHash): 1 + vectorLength(parentHash.count)
            }
        return vectorLength(encryptionKey.count) + vectorLength(signatureKey.count) + credential.encodedLength
            + capabilities.encodedLength + sourceLength
            + vectorLength(extensions.reduce(0) { $0 + 2 + vectorLength($1.data.count) })
            + vectorLength(signature.count)
    }
}

extension Credential {
    fileprivate var encodedLength: Int {
        switch self {
        case .basic(let identity): 2 + vectorLength(identity.count)
        case .x509(let chain): 2 + vectorLength(chain.reduce(0) { $0 + vectorLength($1.count) })
        case .other(_, let content): 2 + vectorLength(content.count)
        }
    }
}

extension Capabilities {
    fileprivate var encodedLength: Int {
        vectorLength(versions.count * 2) + vectorLength(cipherSuites.count * 2) + vectorLength(extensions.count * 2)
            + vectorLength(proposals.count * 2) + vectorLength(credentials.count * 2)
    }
}

/// The content with its length in front.
private func vectorLength(_ content: Int) -> Int {
    switch content {
    case ..<0x40: content + 1
    case ..<0x4000: content + 2
    default: content + 4
    }
}
