import MLS

/// A key package of our own with its private keys.
struct KeyPackageRecord: StoredRecord {
    /// Version 3 is for those that were used and are still there.
    static let version: UInt8 = 3
    var neededVersion: UInt8 { isUsed ? 3 : 2 }

    var isLastResort: Bool
    /// Whether a Welcome has let us in with it. Only those of last resort outlive that.
    var isUsed: Bool
    /// Whether the server has accepted it.
    var isUploaded: Bool
    var lifetime: Lifetime
    /// When others took its place on the server, in Unix seconds; 0 while it may be handed out. Its private keys are
    /// kept for invites under way.
    var withdrawnAt: UInt64
    /// ``MLS/KeyPackageBundle`` in its serialised form.
    var serialized: [UInt8]

    init(_ bundle: KeyPackageBundle, isLastResort: Bool, lifetime: Lifetime) {
        self.isLastResort = isLastResort
        self.lifetime = lifetime
        isUploaded = false
        isUsed = false
        withdrawnAt = 0
        serialized = bundle.serialized
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        isLastResort = try reader.readBool()
        isUploaded = try reader.readBool()
        if version == 1 {
            // Only the end was stored. All lifetimes had the same length.
            let notAfter = try reader.read(UInt64.self)
            let length = ClientLimits.lifetimeLength
            lifetime = Lifetime(notBefore: notAfter < length ? 0 : notAfter - length, notAfter: notAfter)
            withdrawnAt = 0
        } else {
            lifetime = try reader.read()
            withdrawnAt = try reader.read()
        }
        isUsed = version > 2
        serialized = try reader.readOpaque()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeBool(isLastResort)
        writer.writeBool(isUploaded)
        writer.write(lifetime)
        writer.write(withdrawnAt)
        writer.writeOpaque(serialized)
    }

    /// Whether the server may hand it out to people who want to invite us.
    var isPublished: Bool { isUploaded && withdrawnAt == 0 }

    /// Whether it let us in and the server may hand it out again: another one has to take its place.
    var isToBeReplaced: Bool { isLastResort && isUsed && isPublished }

    /// Whether it was made and never uploaded, as far as is known, and is still good for a while at `moment`, in Unix
    /// seconds.
    func isReady(at moment: UInt64) -> Bool {
        !isUploaded && withdrawnAt == 0 && lifetime.contains(moment)
            && lifetime.notAfter - moment >= ClientLimits.keyPackageRefresh
    }

    func bundle(_ crypto: any SuiteCrypto) throws(StoreError) -> KeyPackageBundle {
        do {
            return try KeyPackageBundle(serialized: serialized, crypto: crypto)
        } catch {
            throw StoreError(.corrupt, "a stored key package is damaged")
        }
    }
}
