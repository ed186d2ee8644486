/// A path secret: what a node's key pair and the path secret of the next node up come from (RFC 9420 §7.4).
struct PathSecret: Sendable {
    let secret: Secret

    func next(crypto: any SuiteCrypto) -> PathSecret {
        PathSecret(secret: crypto.deriveSecret(secret, label: "path"))
    }

    func keyPair(crypto: any SuiteCrypto) throws(MLSError) -> HPKEPrivateKey {
        try crypto.deriveHPKEKey(ikm: crypto.deriveSecret(secret, label: "node"))
    }

    static let sealLabel = "UpdatePathNode"
}
