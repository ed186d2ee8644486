extension Group {
    /// Opens and checks a proposal or commit of the present epoch without applying it: the group is unchanged.
    ///
    /// - Parameters:
    ///   - message: a PublicMessage or PrivateMessage as MLSMessage.
    ///   - psks: the secrets of external PSKs that a commit may call for.
    ///   - now: Unix seconds; the lifetimes of added key packages are checked against it. Give nil for commits that may
    ///     be old.
    ///   - stored: returns the record of this group stored under a key, for proposals that are no longer in memory;
    ///     needed with ``takeStateChanges(leavingProposalsInStore:)`` `true`. Its errors are passed on.
    /// - Throws: `ownMessage` for what this very member sent (merge the staged commit instead); `wrongGroup`,
    ///   `epochTooOld`, `epochNotReached`; `unknownReference` for a proposal or PSK that is not known here;
    ///   `credentialRefused`; `invalidState` once a ReInit has ended the group; else what is wrong with the message.
    public func process(
        _ message: [UInt8], psks: [PreSharedKey] = [], now: UInt64?,
        stored: (_ key: [UInt8]) throws(MLSError) -> [UInt8]? = { (_: [UInt8]) throws(MLSError) -> [UInt8]? in nil }
    ) throws(MLSError) -> Incoming {
        _ = try ownSecrets()
        if successor != nil { throw MLSError(.invalidState, "the group has been ended by a ReInit") }
        let handshake = try authenticate(MLSMessage(decoding: message))
        switch handshake.content.content.body {
        case .application:
            throw MLSError(.malformed, "application data is not for processing")
        case .proposal(let proposal):
            return .proposal(
                PendingProposal(
                    proposal: proposal, origin: handshake.sender,
                    reference: handshake.content.proposalRef(crypto: crypto),
                    epoch: epoch, updateKey: nil, sealedWith: handshake.sealedWith))
        case .commit(let commit):
            let reader = CommitReader(
                group: self, message: message, content: handshake.content, commit: commit,
                proposals: try resolveProposals(of: commit, from: handshake.sender, stored: stored),
                committer: handshake.sender.member,
                psks: psks, now: now, sealedWith: handshake.sealedWith)
            return .commit(try reader.stage())
        }
    }

    /// A handshake message whose tags and signature hold.
    private struct Handshake {
        let content: AuthenticatedContent
        let sender: Sender
        let sealedWith: (id: SecretTree.RatchetID, generation: UInt32)?
    }

    private func authenticate(_ message: MLSMessage) throws(MLSError) -> Handshake {
        switch message {
        case .publicMessage(let message):
            try checkPresent(groupID: message.content.groupID, epoch: message.content.epoch)
            return try authenticate(message)
        case .privateMessage(let message):
            try checkPresent(groupID: message.groupID, epoch: message.epoch)
            if message.contentType == .application {
                throw MLSError(.malformed, "application data is not for processing")
            }
            let opened = try open(message, kind: .handshake)
            return Handshake(
                content: opened.content, sender: .member(opened.sender.index),
                sealedWith: (opened.step.id, opened.step.messageKey.generation))
        case .welcome, .groupInfo, .keyPackage:
            throw MLSError(.malformed, "not a message within a group")
        }
    }

    private func authenticate(_ message: PublicMessage) throws(MLSError) -> Handshake {
        let content = try message.unprotect(
            membershipKey: try ownSecrets().epoch.membership, context: current.encodedContext, crypto: crypto)
        let publicKey: [UInt8]
        switch (message.content.sender, message.content.body) {
        case (.member(let index), _):
            guard let leaf = current.tree[index] else {
                throw MLSError(.malformed, "a message from \(index), which is blank")
            }
            publicKey = leaf.signatureKey
        case (.newMemberCommit, .commit(let commit)):
            guard let path = commit.path else { throw MLSError(.invalidCommit, "an external commit without a path") }
            publicKey = path.leafNode.signatureKey
        case (.external(let index), .proposal(let proposal)) where proposal.mayBeExternal:
            publicKey = try externalSender(index).signatureKey
        case (.newMemberProposal, .proposal(.add(let keyPackage))):
            if !configuration.acceptsNewMemberProposals {
                throw MLSError(.invalidProposal, "a stranger asks to be added")
            }
            publicKey = keyPackage.leafNode.signatureKey
        case (.newMemberCommit, _), (.external, _), (.newMemberProposal, _):
            throw MLSError(.malformed, "a sender that may not send this")
        }
        try content.verifySignature(publicKey: publicKey, context: current.encodedContext, crypto: crypto)
        if message.content.sender == .member(ownLeaf) {
            throw MLSError(.ownMessage, "a message of this very member")
        }
        return Handshake(content: content, sender: message.content.sender, sealedWith: nil)
    }

    /// - Throws: `invalidProposal` when the group knows no such sender.
    private func externalSender(_ index: UInt32) throws(MLSError) -> ExternalSender {
        let senders = try extensions.externalSenders()
        guard index < senders.count else { throw MLSError(.invalidProposal, "external sender \(index) is unknown") }
        return senders[Int(index)]
    }

    private func checkPresent(groupID: [UInt8], epoch: UInt64) throws(MLSError) {
        if groupID != self.groupID { throw MLSError(.wrongGroup, "the message belongs to another group") }
        if epoch < self.epoch { throw MLSError(.epochTooOld, "epoch \(epoch) is over, the group is in \(self.epoch)") }
        if epoch > self.epoch {
            throw MLSError(.epochNotReached, "the message is of epoch \(epoch), the group in \(self.epoch)")
        }
    }
}
