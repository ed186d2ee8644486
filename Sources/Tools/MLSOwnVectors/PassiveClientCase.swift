/// A case of a passive-client file; `resumption_psks` and `successors` are ours.
struct PassiveClientCase: Encodable {
    let cipher_suite: UInt16
    let external_psks: [ExternalPSK]
    let resumption_psks: [ResumptionPSK]?
    let key_package: HexString
    let signature_priv: HexString
    let encryption_priv: HexString
    let init_priv: HexString
    let welcome: HexString
    let ratchet_tree: HexString?
    let initial_epoch_authenticator: HexString
    let epochs: [Epoch]
    let successors: [PassiveClientCase]?

    struct ExternalPSK: Encodable {
        let psk_id: HexString
        let psk: HexString
    }

    struct ResumptionPSK: Encodable {
        let psk_group_id: HexString
        let psk_epoch: UInt64
        let psk: HexString
    }

    struct Epoch: Encodable {
        let proposals: [HexString]
        let commit: HexString
        let epoch_authenticator: HexString
    }
}
