import MLS

/// PSK secrets over ids of every kind. An id is a resumption PSK's if it has `usage`, `psk_group_id` and `psk_epoch`
/// instead of `psk_id`.
struct PSKSecretCases {
    struct Case: Encodable {
        let cipher_suite: UInt16
        let psks: [PSK]
        let psk_secret: HexString
    }

    struct PSK: Encodable {
        var psk_id: HexString?
        var usage: UInt8?
        var psk_group_id: HexString?
        var psk_epoch: UInt64?
        let psk: HexString
        let psk_nonce: HexString
    }

    private let crypto: any SuiteCrypto
    private let entropy: VectorEntropy

    init(crypto: any SuiteCrypto) {
        self.crypto = crypto
        entropy = VectorEntropy(seed: "psk_secret", crypto: crypto)
    }

    func make() throws -> [Case] {
        let groupID = entropy.bytes(16)
        let sources: [PSKSource] = [
            .resumption(.application, groupID: groupID, epoch: 0),
            .resumption(.reinit, groupID: groupID, epoch: 1),
            .resumption(.branch, groupID: [], epoch: .max),
            .external(id: Array("an external PSK".utf8)),
        ]
        return try sources.map { try make([$0]) } + [make(sources), make(sources.reversed())]
    }

    private func make(_ sources: [PSKSource]) throws -> Case {
        let length = crypto.suite.hashLength
        var psks: [PSK] = []
        var keys: [(id: PreSharedKeyID, secret: Secret)] = []
        for source in sources {
            let (secret, nonce) = (entropy.bytes(length), entropy.bytes(length))
            keys.append((PreSharedKeyID(source: source, nonce: nonce), Secret(secret)))
            var psk = PSK(psk: HexString(secret), psk_nonce: HexString(nonce))
            switch source {
            case .external(let id): psk.psk_id = HexString(id)
            case .resumption(let usage, let groupID, let epoch):
                psk.usage = usage.rawValue
                psk.psk_group_id = HexString(groupID)
                psk.psk_epoch = epoch
            }
            psks.append(psk)
        }
        let secret = try PSKSecret.combine(keys, crypto: crypto)
        return Case(
            cipher_suite: crypto.suite.rawValue, psks: psks, psk_secret: HexString(secret.unwipedCopy))
    }
}
