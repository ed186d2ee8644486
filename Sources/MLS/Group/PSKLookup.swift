extension Group {
    /// The secret that proves membership in an epoch of this group, to be mixed into another group or given to
    /// ``join(welcome:bundles:ratchetTree:psks:predecessor:crypto:configuration:now:)`` (RFC 9420 §8.6, usage
    /// `application`).
    ///
    /// Within this group it need not be given: members find it in their window of past epochs.
    /// - Parameter epoch: the present one when nil.
    /// - Throws: `removed`; `epochTooOld` and `epochNotReached` for an epoch outside of the window.
    public func resumptionPSK(epoch: UInt64? = nil) throws(MLSError) -> PreSharedKey {
        let epoch = epoch ?? self.epoch
        if epoch > self.epoch { throw MLSError(.epochNotReached, "the group is in epoch \(self.epoch)") }
        if epoch == self.epoch { _ = try ownSecrets() }
        guard let secret = resumptionSecret(ofEpoch: epoch) else {
            throw MLSError(.epochTooOld, "the keys of epoch \(epoch) are gone")
        }
        return PreSharedKey(source: .resumption(.application, groupID: groupID, epoch: epoch), secret: secret)
    }

    /// The secrets behind a commit's PSKs, in their order.
    ///
    /// - Parameter given: the caller's; resumption secrets of this group's window need not be given.
    /// - Throws: `unknownReference`.
    func resolve(
        _ ids: [PreSharedKeyID], given: [PreSharedKey]
    ) throws(MLSError) -> [(id: PreSharedKeyID, secret: Secret)] {
        var resolved: [(id: PreSharedKeyID, secret: Secret)] = []
        for id in ids {
            guard let secret = secret(for: id.source, given: given) else {
                throw MLSError(.unknownReference, "a PSK that is not known here")
            }
            resolved.append((id, secret))
        }
        return resolved
    }

    func secret(for source: PSKSource, given: [PreSharedKey]) -> Secret? {
        if case .resumption(.application, groupID, let epoch) = source, let own = resumptionSecret(ofEpoch: epoch) {
            return own
        }
        return given.secret(for: source)
    }

    func resumptionSecret(ofEpoch epoch: UInt64) -> Secret? {
        if epoch == self.epoch { return current.own?.epoch.resumption }
        return pastEpochs.first { $0.epoch == epoch }?.resumption
    }
}

extension [PreSharedKey] {
    func secret(for source: PSKSource) -> Secret? { first { $0.source == source }?.secret }
}
