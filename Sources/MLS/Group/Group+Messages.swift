extension Group {
    /// Seals application data with this member's next key.
    ///
    /// The group must be stored before the result leaves the machine: otherwise a restart would use the same key again.
    /// - Returns: a PrivateMessage as MLSMessage.
    /// - Throws: `tooLarge`, `removed`; `invalidState` also for proposals that go first, see
    ///   ``GroupConfiguration/commitsBeforeData``.
    public mutating func protect(
        _ plaintext: [UInt8], authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        _ = try sendingLeaf(signer: signer)
        if configuration.commitsBeforeData, !proposals.isEmpty {
            throw MLSError(.invalidState, "there are proposals to be committed before application data")
        }
        try checkLength(plaintext)
        try checkLength(authenticatedData)
        let content = FramedContent(
            groupID: groupID, epoch: epoch, sender: .member(ownLeaf), authenticatedData: authenticatedData,
            body: .application(plaintext))
        let signed = try AuthenticatedContent.sign(
            content, as: .privateMessage, context: current.encodedContext, signer: signer, crypto: crypto)
        let (message, step) = try seal(signed, kind: .application, entropy: entropy)
        consume(step)
        var writer = TLSWriter(reservingCapacity: message.ciphertext.count + authenticatedData.count + 128)
        writer.write(MLSMessage.privateMessage(message))
        return writer.bytes
    }

    /// Opens application data of this epoch or of a past one in the window, and consumes its key.
    ///
    /// - Parameter message: a PrivateMessage as MLSMessage.
    /// - Throws: anything but `invalidState` only because of the message; the group is then as before.
    public mutating func unprotect(_ message: [UInt8]) throws(MLSError) -> ApplicationMessage {
        let opened = try open(message)
        take(opened)
        return opened.message
    }

    /// Opens application data of this epoch or of a past one in the window, and leaves the group as it is.
    ///
    /// Use it to look at a message before consuming its key: any member can seal again what another one has signed,
    /// under another generation (RFC 9420 §6.3.2), and consuming the key of such a copy skips the keys before it.
    /// - Parameters:
    ///   - message: a PrivateMessage as MLSMessage.
    ///   - isOwn: whether it claims to come from this member. What this state has sealed itself does not open, as its
    ///     key is gone.
    /// - Throws: `generationReused` for a key that was used already; otherwise what is wrong with the message.
    package func open(_ message: [UInt8], isOwn: Bool = false) throws(MLSError) -> OpenedMessage {
        guard case .privateMessage(let sealed) = try MLSMessage(decoding: message) else {
            throw MLSError(.malformed, "application data comes in a PrivateMessage")
        }
        if sealed.contentType != .application {
            throw MLSError(.malformed, "a handshake message, not application data")
        }
        let opened = try open(sealed, kind: .application, isOwn: isOwn)
        guard case .application(let plaintext) = opened.content.content.body else {
            throw MLSError(.malformed, "not application data")
        }
        let message = ApplicationMessage(
            sender: opened.sender, epoch: sealed.epoch, generation: opened.step.messageKey.generation,
            authenticatedData: sealed.authenticatedData, plaintext: plaintext)
        return OpenedMessage(message: message, step: opened.step)
    }

    /// Consumes the key of a message that was opened in the state that the group is in.
    package mutating func take(_ opened: OpenedMessage) {
        consume(opened.step, epoch: opened.message.epoch)
    }

    /// Called before anything is encoded, so that no length is written that no reader accepts.
    func checkLength(_ data: [UInt8]) throws(MLSError) { try Self.checkLength(data) }

    static func checkLength(_ data: [UInt8]) throws(MLSError) {
        if data.count > Limits.messageLength { throw MLSError(.tooLarge, "\(data.count) bytes in one message") }
    }

    /// Seals a signed content under the present epoch. The caller must apply the step.
    func seal(
        _ content: AuthenticatedContent, kind: SecretTree.Kind, entropy: any EntropySource
    ) throws(MLSError) -> (message: PrivateMessage, step: SecretTree.Step) {
        let step = try current.messageKeys.secretTree.nextKey(for: .init(leaf: ownLeaf, kind: kind), crypto: crypto)
        let message = try PrivateMessage(
            protecting: content, from: ownLeaf, key: step.messageKey,
            senderDataSecret: current.messageKeys.senderData, paddingBlock: configuration.paddingBlock,
            padding: configuration.padding, crypto: crypto, entropy: entropy)
        return (message, step)
    }

    /// A PrivateMessage that has been opened and whose signature has been verified. The caller must apply the step.
    struct Opened {
        let content: AuthenticatedContent
        let sender: Member
        let step: SecretTree.Step
    }

    /// - Parameter isOwn: whether the message is one of this member; otherwise such a message is refused.
    /// - Throws: `wrongGroup`, `epochTooOld`, `epochNotReached`, `ownMessage`, or what is wrong with the message.
    func open(_ message: PrivateMessage, kind: SecretTree.Kind, isOwn: Bool = false) throws(MLSError) -> Opened {
        let (keys, context) = try messageKeys(groupID: message.groupID, epoch: message.epoch)
        let senderData = try message.openSenderData(senderDataSecret: keys.senderData, crypto: crypto)
        if senderData.leaf == ownLeaf, !isOwn { throw MLSError(.ownMessage, "a message of this very member") }
        if senderData.leaf != ownLeaf, isOwn { throw MLSError(.malformed, "a message of \(senderData.leaf)") }
        guard let sender = member(at: senderData.leaf, inEpoch: message.epoch) else {
            throw MLSError(.malformed, "a message from \(senderData.leaf), which is blank")
        }
        let step = try keys.secretTree.key(
            for: .init(leaf: senderData.leaf, kind: kind), generation: senderData.generation, crypto: crypto)
        let content = try message.open(senderData, key: step.messageKey, crypto: crypto)
        try content.verifySignature(publicKey: sender.signatureKey, context: context, crypto: crypto)
        return Opened(content: content, sender: sender, step: step)
    }

    private func messageKeys(
        groupID: [UInt8], epoch: UInt64
    ) throws(MLSError) -> (keys: MessageKeys, context: [UInt8]) {
        if groupID != self.groupID { throw MLSError(.wrongGroup, "the message belongs to another group") }
        if epoch > self.epoch {
            throw MLSError(.epochNotReached, "the message is of epoch \(epoch), the group in \(self.epoch)")
        }
        if epoch == self.epoch {
            if current.messageKeys.isForgotten { throw MLSError(.epochTooOld, "the keys of epoch \(epoch) are gone") }
            return (current.messageKeys, current.encodedContext)
        }
        guard let past = pastEpochs.first(where: { $0.epoch == epoch }) else {
            throw MLSError(.epochTooOld, "the keys of epoch \(epoch) are gone")
        }
        return (past.messageKeys, past.encodedContext)
    }

    /// Applies a step of the present epoch.
    mutating func consume(_ step: SecretTree.Step) {
        consume(step, epoch: epoch)
    }

    /// Applies a step of an epoch of the window. If no handshake message is opened any more, its handshake keys are
    /// gone at once.
    mutating func consume(_ step: SecretTree.Step, epoch: UInt64) {
        let isOver = epoch != self.epoch || !isActive
        let step = isOver ? step.withoutHandshakeKeys : step
        if epoch == self.epoch {
            current.messageKeys.secretTree.apply(step)
        } else if let index = pastEpochs.firstIndex(where: { $0.epoch == epoch }) {
            pastEpochs[index].messageKeys.secretTree.apply(step)
        }
        journal.touch(step, epoch: epoch)
    }

    func messageKeys(ofEpoch epoch: UInt64) -> MessageKeys? {
        epoch == self.epoch ? current.messageKeys : pastEpochs.first { $0.epoch == epoch }?.messageKeys
    }
}

/// An application message that has been opened, and whose key has not been consumed.
package struct OpenedMessage: Sendable {
    package let message: ApplicationMessage
    let step: SecretTree.Step

    /// How many keys of its sender are skipped by consuming this one.
    package var passedOver: Int { step.newSkipped.count }
}
