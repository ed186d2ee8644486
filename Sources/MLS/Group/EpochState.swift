/// Everything a member knows in one epoch.
struct EpochState: Sendable {
    let context: GroupContext
    /// The encoded context, for signatures and tags.
    let encodedContext: [UInt8]
    let ownLeaf: LeafIndex
    var tree: RatchetTree
    /// The tag of the commit that began the epoch.
    let confirmationTag: [UInt8]
    let interimTranscriptHash: [UInt8]
    let epochAuthenticator: Secret
    /// What decrypts messages of the epoch, even after it is over.
    var messageKeys: MessageKeys
    /// What is needed to continue the group; nil once this member has been removed.
    var own: OwnSecrets?

    struct OwnSecrets: Sendable {
        let privateTree: PrivateTree
        let epoch: EpochSecrets
    }

    init(
        context: GroupContext, tree: RatchetTree, privateTree: PrivateTree, secrets: EpochSecrets, encryption: Secret,
        confirmationTag: [UInt8], crypto: any SuiteCrypto
    ) {
        self.context = context
        self.encodedContext = context.encoded
        self.ownLeaf = privateTree.ownLeaf
        self.tree = tree
        self.confirmationTag = confirmationTag
        self.interimTranscriptHash = TranscriptHash.interim(
            confirmed: context.confirmedTranscriptHash, confirmationTag: confirmationTag, crypto: crypto)
        self.epochAuthenticator = secrets.epochAuthenticator
        self.messageKeys = MessageKeys(
            senderData: secrets.senderData,
            secretTree: SecretTree(size: tree.size, encryptionSecret: encryption))
        self.own = OwnSecrets(privateTree: privateTree, epoch: secrets)
    }
}

/// What decrypts the PrivateMessages of an epoch.
struct MessageKeys: Sendable {
    let senderData: Secret
    var secretTree: SecretTree

    /// Whether the window of the epoch has been closed.
    var isForgotten: Bool { senderData.count == 0 }

    /// The same without any secret.
    var forgotten: MessageKeys { MessageKeys(senderData: Secret([]), secretTree: SecretTree(size: secretTree.size)) }
}

/// An epoch that is over: just enough of it to read messages that arrive late.
struct PastEpoch: Sendable {
    let epoch: UInt64
    let encodedContext: [UInt8]
    var messageKeys: MessageKeys
    /// For PSKs that prove membership in this epoch (RFC 9420 §8.6).
    let resumption: Secret
    /// The leaves that the commit at the end of the epoch changed, as they were during it; nil if there was no member.
    ///
    /// The roster of a past epoch is the present one with these differences applied, newest first. So an epoch costs as
    /// much as its commit changed, not as much as the group is large.
    let replaced: [LeafIndex: Member?]
}
