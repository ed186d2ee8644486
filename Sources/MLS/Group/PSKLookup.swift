extension Group {
    /// The secrets behind a commit's PSKs, in their order.
    ///
    /// - Parameter given: the caller's; resumption secrets of this group's window are known without.
    /// - Throws: `unknownReference`.
    func resolve(
        _ ids: [PreSharedKeyID], given: [PreSharedKey]
    ) throws(MLSError) -> [(id: PreSharedKeyID, secret: Secret)] {
        var resolved: [(id: PreSharedKeyID, secret: Secret)] = []
        for id in ids {
            guard let secret = ownResumption(id.source) ?? given.secret(for: id.source) else {
                throw MLSError(.unknownReference, "a PSK that is not known here")
            }
            resolved.append((id, secret))
        }
        return resolved
    }

    private func ownResumption(_ source: PSKSource) -> Secret? {
        guard case .resumption(.application, groupID, let epoch) = source else { return nil }
        if epoch == self.epoch { return current.own?.epoch.resumption }
        return pastEpochs.first { $0.epoch == epoch }?.resumption
    }
}

extension [PreSharedKey] {
    func secret(for source: PSKSource) -> Secret? { first { $0.source == source }?.secret }
}
