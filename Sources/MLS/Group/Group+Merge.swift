extension Group {
    /// Applies a staged commit: the group moves to the next epoch.
    ///
    /// The keys of the epoch that ends stay in the window of past epochs, as they are now; everything else of it is
    /// gone. A commit that removes this member leaves the group in its epoch, able only to read what was sent in it.
    /// - Throws: `wrongGroup`, `removed`; `invalidState` when the commit was made for another state of the group.
    public mutating func merge(_ staged: StagedCommit) throws(MLSError) {
        let own = try ownSecrets()
        if staged.groupID != groupID { throw MLSError(.wrongGroup, "the commit belongs to another group") }
        if staged.baseEpoch != epoch || !constantTimeEqual(staged.baseTranscript, current.interimTranscriptHash) {
            throw MLSError(.invalidState, "the commit was made for another state of the group")
        }
        dropProposals()
        consume(staged.sealedWith, epoch: epoch)
        guard let next = staged.next else {
            leave()
            return
        }
        retire(own, changes: staged.changes)
        let before = current.tree.size
        current = next.current
        successor = next.successor
        journal.touch(.state)
        touchTree(before: before)
        for index in current.messageKeys.secretTree.nodes.keys { journal.touch(.node(epoch, index)) }
    }

    /// Consumes the key of a commit that has been opened and will not be merged: with it the message could be opened
    /// again (RFC 9420 §9.2).
    ///
    /// Use it for a commit that has lost against another one of its epoch, before or after that one is merged. One's
    /// own commits, and those that came as a PublicMessage, have no such key, so nothing happens.
    public mutating func discard(_ staged: StagedCommit) {
        if staged.groupID == groupID { consume(staged.sealedWith, epoch: staged.baseEpoch) }
    }

    /// Closes the window of past epochs: none of their messages is opened any more. A member that has been removed
    /// forgets its last epoch, too.
    ///
    /// A removed member's window closes in no other way, as no commit comes after the one that removed it.
    public mutating func forgetMessages() {
        for past in pastEpochs { journal.close(epoch: past.epoch) }
        pastEpochs = []
        if isActive { return }
        current.messageKeys = current.messageKeys.forgotten
        journal.close(epoch: epoch)
        journal.touch(.state)
    }

    /// A tree that has just been read back may differ from the stored one everywhere.
    private mutating func touchTree(before: TreeSize) {
        let blocks =
            current.tree.changedBlocks ?? TreeBlock.all(in: current.tree.size).union(TreeBlock.all(in: before))
        for block in blocks { journal.touch(.tree(block)) }
        current.tree.markStored()
    }

    private mutating func dropProposals() {
        for record in proposals.records { journal.touch(record) }
        if proposals.hasAside { journal.closeAside() }
        proposals = ProposalCache()
    }

    /// After being removed: the secrets of the epoch go, except what opens its messages.
    private mutating func leave() {
        current.own = nil
        var keys = current.messageKeys
        dropHandshakeKeys(of: &keys)
        current.messageKeys = keys
        journal.touch(.state)
    }

    /// No one opens a handshake message of this epoch any more.
    private mutating func dropHandshakeKeys(of keys: inout MessageKeys) {
        for (id, generations) in keys.secretTree.dropHandshakeKeys() {
            journal.touch(.ratchet(epoch, id))
            for generation in generations { journal.touch(.skipped(epoch, id, generation: generation)) }
        }
    }

    /// Puts the present epoch into the window, and closes what falls out of it.
    private mutating func retire(_ own: EpochState.OwnSecrets, changes: CommitChanges) {
        var replaced: [LeafIndex: Member?] = [:]
        for changed in changes.added + changes.removed + changes.updated {
            replaced.updateValue(member(at: changed.index), forKey: changed.index)
        }
        var keys = current.messageKeys
        dropHandshakeKeys(of: &keys)
        pastEpochs.append(
            PastEpoch(
                epoch: epoch, encodedContext: current.encodedContext, messageKeys: keys,
                resumption: own.epoch.resumption, replaced: replaced))
        journal.touch(.pastEpoch(epoch))
        while pastEpochs.count > max(0, configuration.pastEpochs) {
            journal.close(epoch: pastEpochs.removeFirst().epoch)
        }
    }
}
