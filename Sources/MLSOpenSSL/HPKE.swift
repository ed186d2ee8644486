import MLS

/// HPKE in base mode (RFC 9180 §5 and §6.1), one message or one exported secret per encapsulation.
struct HPKE: Sendable {
    let kem: DHKEM
    private let aead: AEAD
    private let kdf: LabelledKDF
    /// The hash of the empty psk_id, the same in every key schedule of the base mode.
    private let pskIDHash: Secret

    init(kem: DHKEM, hash: HashFunction, aead: AEAD) {
        self.kem = kem
        self.aead = aead
        let numbers = [kem.group.kemIdentifier, Self.kdfIdentifier(hash), aead.identifier]
        kdf = LabelledKDF(hash: hash, suiteID: Array("HPKE".utf8) + numbers.flatMap(bigEndian))
        pskIDHash = kdf.extract(salt: .empty, label: "psk_id_hash", Secret.empty)
    }

    func seal(
        to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        try seal(to: publicKey, context: sharedContext(info: info), aad: aad, plaintext, ikm: kem.drawIKM(entropy))
    }

    /// Seals with the context of an info that many seals share, and with randomness that was drawn before.
    func seal(to publicKey: [UInt8], context: Context, aad: [UInt8], _ plaintext: Secret, ikm: Secret)
        throws(MLSError) -> HPKECiphertext
    {
        let (shared, enc) = try kem.encapsulate(to: publicKey, ikm: ikm)
        let schedule = keySchedule(shared, context)
        let ciphertext = try plaintext.withUnsafeBytes { bytes throws(MLSError) in
            try aead.seal(key: key(schedule), nonce: nonce(schedule), aad: aad, bytes)
        }
        return HPKECiphertext(kemOutput: enc, ciphertext: ciphertext)
    }

    /// Several seals that share their info, spread over threads; the randomness is drawn before, in their order.
    func seal(
        _ parcels: [HPKEParcel], info: [UInt8], aad: [UInt8], _ entropy: any EntropySource, spreading: Spreading
    ) throws(MLSError) -> [HPKECiphertext] {
        let context = sharedContext(info: info)
        let drawn = parcels.map { (parcel: $0, ikm: kem.drawIKM(entropy)) }
        let results = spreading.map(drawn) { sealed($0.parcel, context: context, aad: aad, ikm: $0.ikm) }
        var ciphertexts: [HPKECiphertext] = []
        ciphertexts.reserveCapacity(results.count)
        for result in results { ciphertexts.append(try result.get()) }
        return ciphertexts
    }

    /// Work that is spread has its error as a value.
    private func sealed(
        _ parcel: HPKEParcel, context: Context, aad: [UInt8], ikm: Secret
    ) -> Result<HPKECiphertext, MLSError> {
        do throws(MLSError) {
            return .success(
                try seal(to: parcel.publicKey, context: context, aad: aad, parcel.plaintext, ikm: ikm))
        } catch {
            return .failure(error)
        }
    }

    func open(_ sealed: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8])
        throws(MLSError) -> Secret
    {
        let length = try aead.plaintextLength(sealed.ciphertext)
        let schedule = keySchedule(try decapsulate(sealed.kemOutput, with: key), sharedContext(info: info))
        return try Secret(count: length) { out throws(MLSError) in
            try aead.open(
                key: self.key(schedule), nonce: nonce(schedule), aad: aad, sealed.ciphertext, into: out)
        }
    }

    func sendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    ) throws(MLSError) -> (enc: [UInt8], secret: Secret) {
        let (shared, enc) = try kem.encapsulate(to: publicKey, entropy)
        return (enc, export(keySchedule(shared, sharedContext(info: info)), context: context, length: length))
    }

    func receiveExport(enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int)
        throws(MLSError) -> Secret
    {
        export(
            keySchedule(try decapsulate(enc, with: key), sharedContext(info: info)), context: context, length: length)
    }

    /// An encapsulated key comes with the ciphertext, from the same sender: an invalid one fails like a wrong tag.
    private func decapsulate(_ enc: [UInt8], with key: HPKEPrivateKey) throws(MLSError) -> Secret {
        do throws(MLSError) {
            return try kem.decapsulate(enc, with: key)
        } catch {
            if error.code != .invalidKey || !kem.group.owns(key) { throw error }
            throw MLSError(.decryptionFailed, "an encapsulated key is not valid")
        }
    }

    /// The key schedule's context (RFC 9180 §5.1), the same for all seals with one info.
    struct Context: Sendable {
        fileprivate let bytes: [UInt8]
    }

    func sharedContext(info: [UInt8]) -> Context {
        let infoHash = kdf.extract(salt: .empty, label: "info_hash", info)
        let baseMode: UInt8 = 0
        return Context(bytes: [baseMode] + pskIDHash.unwipedCopy + infoHash.unwipedCopy)
    }

    /// What KeySchedule (RFC 9180 §5.1) leaves to derive keys from.
    private struct Schedule {
        let secret: Secret
        let context: [UInt8]
    }

    private func keySchedule(_ shared: Secret, _ context: Context) -> Schedule {
        Schedule(secret: kdf.extract(salt: shared, label: "secret", Secret.empty), context: context.bytes)
    }

    private func key(_ schedule: Schedule) -> Secret {
        kdf.expand(schedule.secret, label: "key", info: schedule.context, length: aead.keyLength)
    }

    /// The nonce of the first message, which is the only one.
    private func nonce(_ schedule: Schedule) -> [UInt8] {
        kdf.expand(schedule.secret, label: "base_nonce", info: schedule.context, length: AEAD.nonceLength).unwipedCopy
    }

    private func export(_ schedule: Schedule, context: [UInt8], length: Int) -> Secret {
        let exporter = kdf.expand(schedule.secret, label: "exp", info: schedule.context, length: kdf.hash.length)
        return kdf.expand(exporter, label: "sec", info: context, length: length)
    }

    private static func kdfIdentifier(_ hash: HashFunction) -> UInt16 {
        switch hash.length {
        case 32: 1
        case 48: 2
        default: 3
        }
    }
}
