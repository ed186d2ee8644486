import ConclaveProtocol
import MLS

/// A key package of our own with its private keys.
struct KeyPackageRecord: StoredRecord {
    static let version: UInt8 = 1

    var isLastResort: Bool
    var isUploaded: Bool
    /// End of its lifetime, in Unix seconds.
    var notAfter: UInt64
    /// ``MLS/KeyPackageBundle`` in its serialised form.
    var serialized: [UInt8]

    init(_ bundle: KeyPackageBundle, isLastResort: Bool, notAfter: UInt64) {
        self.isLastResort = isLastResort
        self.notAfter = notAfter
        isUploaded = false
        serialized = bundle.serialized
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        isLastResort = try reader.readBool()
        isUploaded = try reader.readBool()
        notAfter = try reader.read()
        serialized = try reader.readOpaque()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeBool(isLastResort)
        writer.writeBool(isUploaded)
        writer.write(notAfter)
        writer.writeOpaque(serialized)
    }

    func bundle(_ crypto: any SuiteCrypto) throws(StoreError) -> KeyPackageBundle {
        do {
            return try KeyPackageBundle(serialized: serialized, crypto: crypto)
        } catch {
            throw StoreError(.corrupt, "a stored key package is damaged")
        }
    }
}

/// Keeping the server stocked with key packages, so that others can invite us while we are away.
extension ClientCore {
    mutating func replenishKeyPackages(_ token: String, _ turn: inout Turn) throws {
        let account = try account(turn)
        let fullSet = account.keyPackagesUploadedAt &+ ClientLimits.keyPackageRefresh <= turn.now.seconds
        try forgetExpired(&turn)
        var waiting: [Record] = []
        for stored in try turn.draft.page(.keyPackage, prefix: []) {
            if try !KeyPackageRecord(stored: stored.value).isUploaded { waiting.append(stored) }
        }
        let wanted = fullSet ? ClientLimits.keyPackages + 1 : Int(min(account.keyPackagesOwed, 5))
        let lastResortWaits = try waiting.contains { try KeyPackageRecord(stored: $0.value).isLastResort }
        while waiting.count < wanted {
            let isLastResort = fullSet && !lastResortWaits && waiting.count == wanted - 1
            waiting.append(try makeKeyPackage(isLastResort: isLastResort, &turn))
        }
        guard !waiting.isEmpty else {
            lanes.account.keyPackagesUnchecked = false
            return
        }
        if fullSet, account.keyPackagesUploadedAt > 0, !lanes.account.keyPackagesReset {
            // The server keeps ten and hands out the oldest first: what is there would outlive its time, and leave no room for the new ones.
            let call = Endpoint.resetAccount(token: token)
            begin(.resetKeyPackages(call), call.request, &turn)
            return
        }
        var uploads: [KeyPackageUpload] = []
        for stored in waiting {
            let record = try KeyPackageRecord(stored: stored.value)
            uploads.append(
                KeyPackageUpload(
                    data: MLSMessage.keyPackage(try record.bundle(crypto).keyPackage).encoded,
                    isLastResort: record.isLastResort))
        }
        // After a reset an earlier answer to the same upload is no longer true.
        let once = lanes.account.keyPackagesReset ? nil : hexEncode(sha256(waiting.flatMap(\.key)).prefix(16))
        // If no answer comes, the server may hold these already: there must be room for them all once more.
        lanes.account.keyPackagesReset = false
        let call = Endpoint.uploadKeyPackages(
            uploads, fingerprint: account.fingerprint, token: token, idempotencyKey: once)
        begin(
            .uploadKeyPackages(call, references: waiting.map(\.key), fullSet: fullSet), call.request, &turn)
    }

    private mutating func makeKeyPackage(isLastResort: Bool, _ turn: inout Turn) throws -> Record {
        let me = try account(turn).userID
        let lifetime = lifetime(turn.now)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: me.bytes), signer: signer(turn), lifetime: lifetime,
            lastResort: isLastResort, entropy: entropy)
        let key = bundle.keyPackage.ref(crypto: crypto).bytes
        let record = KeyPackageRecord(bundle, isLastResort: isLastResort, notAfter: lifetime.notAfter)
        turn.draft.put(.keyPackage, key, record)
        return Record(key: key, value: record.stored)
    }

    /// Private keys whose key package nobody may use any more, with a day's grace for invites under way.
    private mutating func forgetExpired(_ turn: inout Turn) throws {
        for stored in try turn.draft.page(.keyPackage, prefix: []) {
            if try KeyPackageRecord(stored: stored.value).notAfter &+ 86_400 < turn.now.seconds {
                turn.draft.delete(.keyPackage, stored.key)
            }
        }
    }

    mutating func keyPackagesUploaded(_ references: [[UInt8]], fullSet: Bool, _ turn: inout Turn) throws {
        for reference in references {
            guard var record: KeyPackageRecord = try turn.draft.record(.keyPackage, reference) else { continue }
            record.isUploaded = true
            turn.draft.put(.keyPackage, reference, record)
        }
        var account = try account(turn)
        if fullSet { account.keyPackagesUploadedAt = turn.now.seconds }
        account.keyPackagesOwed =
            fullSet ? 0 : account.keyPackagesOwed - min(account.keyPackagesOwed, UInt32(references.count))
        turn.draft.put(account)
        lanes.account.keyPackagesUnchecked = account.keyPackagesOwed > 0
    }
}
