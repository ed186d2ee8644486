/// Checks that a group one is welcomed to continues the group it claims to (RFC 9420 §11.2, §11.3, §12.4.3.1).
struct Predecessor {
    /// The group that the new one continues, if the joiner has named it.
    let group: Group?
    /// The PSK of the Welcome that ties the two; nil if it has none.
    let tie: Tie?

    struct Tie {
        let usage: ResumptionUsage
        let groupID: [UInt8]
        let epoch: UInt64
    }

    /// - Parameter psks: those of the Welcome.
    /// - Throws: `invalidWelcome` for more than one tie, or none if `group` calls for one; `unknownReference` if the
    ///   group of a tie is not at hand.
    init(_ group: Group?, psks: [PreSharedKeyID]) throws(MLSError) {
        var tie: Tie?
        for id in psks {
            guard case .resumption(let usage, let groupID, let epoch) = id.source, usage != .application else {
                continue
            }
            if tie != nil { throw MLSError(.invalidWelcome, "a group that goes on from two others") }
            tie = Tie(usage: usage, groupID: groupID, epoch: epoch)
        }
        if let group {
            guard let tie else { throw MLSError(.invalidWelcome, "a group that does not go on from another") }
            if tie.groupID != group.groupID {
                throw MLSError(.unknownReference, "a group that goes on from another than the given one")
            }
        } else if tie != nil {
            throw MLSError(.unknownReference, "a group that goes on from one that is not given")
        }
        self.group = group
        self.tie = tie
    }

    /// The resumption secret of an epoch of the predecessor; nil if the PSK is not one of its own, or the epoch is not
    /// in its window.
    ///
    /// - Throws: `invalidWelcome` for a ReInit that has not happened.
    func secret(for source: PSKSource) throws(MLSError) -> Secret? {
        guard let group, case .resumption(let usage, group.groupID, let epoch) = source else { return nil }
        if usage == .reinit, group.successor == nil || epoch != group.epoch {
            throw MLSError(.invalidWelcome, "no ReInit has ended the group at that epoch")
        }
        return group.resumptionSecret(ofEpoch: epoch)
    }

    /// - Throws: `invalidWelcome`; `epochTooOld`, `epochNotReached` when the epoch of the tie is outside of the old
    ///   group's window.
    func check(_ new: PublicGroup) throws(MLSError) {
        guard let group, let tie else { return }
        let context = new.info.context
        if context.epoch != 1 {
            throw MLSError(.invalidWelcome, "a group that goes on from another, in epoch \(context.epoch)")
        }
        let old = try group.members(inEpoch: tie.epoch).map { identifier($0.credential) }.counted
        let present = new.tree.members.map { identifier($0.1.credential) }.counted
        switch tie.usage {
        case .application:
            return
        case .reinit:
            // The version is known to be right: only one can be read, and a ReInit names no older one.
            guard let reInit = group.successor, reInit.version == .mls10, reInit.groupID == context.groupID,
                reInit.cipherSuite == context.suite.identifier, reInit.extensions == context.extensions
            else { throw MLSError(.invalidWelcome, "a group that is not the one of the ReInit") }
            if old != present { throw MLSError(.invalidWelcome, "the members are not those of the old group") }
        case .branch:
            // It continues beside the old group, so it must not be mistaken for it.
            if context.groupID == group.groupID {
                throw MLSError(.invalidWelcome, "a branch under the name of the group it comes from")
            }
            if context.suite != group.suite { throw MLSError(.invalidWelcome, "a branch of another cipher suite") }
            if present.contains(where: { $0.value > old[$0.key, default: 0] }) {
                throw MLSError(.invalidWelcome, "a member of a branch is not in the group it comes from")
            }
        }
    }

    private func identifier(_ credential: Credential) -> [UInt8] {
        group?.configuration.authentication.clientIdentifier(of: credential) ?? credential.encoded
    }
}

extension Group {
    /// The members of an epoch of the window.
    ///
    /// - Throws: `epochTooOld`, `epochNotReached`: the members of other epochs are not known.
    func members(inEpoch epoch: UInt64) throws(MLSError) -> [Member] {
        if epoch > self.epoch { throw MLSError(.epochNotReached, "the group is in epoch \(self.epoch)") }
        let past = pastEpochs.first { $0.epoch == epoch }
        if past == nil && epoch != self.epoch {
            throw MLSError(.epochTooOld, "the members of epoch \(epoch) are not known any more")
        }
        let leaves = past?.messageKeys.secretTree.size.leafCount ?? current.tree.leafCount
        return (0..<leaves).compactMap { member(at: LeafIndex($0), inEpoch: epoch) }
    }
}
