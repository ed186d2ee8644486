/// The running hashes over all commits of a group (RFC 9420 §8.2).
package enum TranscriptHash {
    /// The hash that goes into the new epoch's GroupContext.
    package static func confirmed(
        interim: [UInt8], commit: AuthenticatedContent, crypto: any SuiteCrypto
    ) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: commit.content.bytes.count + 256)
        writer.writeRaw(interim)
        writer.write(commit.wireFormat)
        writer.write(commit.content)
        writer.writeOpaque(commit.auth.signature)
        return crypto.hash(writer.bytes)
    }

    /// The hash that the next commit builds on.
    package static func interim(
        confirmed: [UInt8], confirmationTag: [UInt8], crypto: any SuiteCrypto
    ) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeRaw(confirmed)
        writer.writeOpaque(confirmationTag)
        return crypto.hash(writer.bytes)
    }

    /// The tag that proves that a commit's author and reader have reached the same epoch (RFC 9420 §6.1).
    package static func confirmationTag(
        confirmationKey: Secret, confirmed: [UInt8], crypto: any SuiteCrypto
    ) -> [UInt8] {
        crypto.mac(key: confirmationKey, confirmed)
    }
}
