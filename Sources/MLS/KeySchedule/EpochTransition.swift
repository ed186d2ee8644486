/// The key schedule of a new epoch, run to its end: by a committer, a reader of a commit, or a joiner.
struct EpochTransition: Sendable {
    let context: GroupContext
    let joinerSecret: Secret
    let memberSecret: Secret
    let secrets: EpochSecrets
    let encryption: Secret
    let confirmationTag: [UInt8]

    /// From the epoch before.
    ///
    /// - Parameter context: of the new epoch, complete.
    init(
        initSecret: Secret, commitSecret: Secret, pskSecret: Secret, context: GroupContext, crypto: any SuiteCrypto
    ) {
        let joinerSecret = KeySchedule.joinerSecret(
            initSecret: initSecret, commitSecret: commitSecret, context: context.encoded, crypto: crypto)
        self.init(
            joinerSecret: joinerSecret,
            memberSecret: KeySchedule.memberSecret(joinerSecret: joinerSecret, pskSecret: pskSecret, crypto: crypto),
            context: context, crypto: crypto)
    }

    /// From the content of a Welcome.
    init(joinerSecret: Secret, memberSecret: Secret, context: GroupContext, crypto: any SuiteCrypto) {
        self.init(
            epochSecret: KeySchedule.epochSecret(memberSecret: memberSecret, context: context.encoded, crypto: crypto),
            joinerSecret: joinerSecret, memberSecret: memberSecret, context: context, crypto: crypto)
    }

    /// From a given epoch secret: the first epoch of a group, which has no other secrets yet.
    init(epochSecret: Secret, context: GroupContext, crypto: any SuiteCrypto) {
        self.init(
            epochSecret: epochSecret, joinerSecret: Secret([]), memberSecret: Secret([]), context: context,
            crypto: crypto)
    }

    private init(
        epochSecret: Secret, joinerSecret: Secret, memberSecret: Secret, context: GroupContext,
        crypto: any SuiteCrypto
    ) {
        self.context = context
        self.joinerSecret = joinerSecret
        self.memberSecret = memberSecret
        (secrets, encryption) = EpochSecrets.derive(from: epochSecret, crypto: crypto)
        confirmationTag = TranscriptHash.confirmationTag(
            confirmationKey: secrets.confirmation, confirmed: context.confirmedTranscriptHash, crypto: crypto)
    }

    /// The state of a member in the new epoch.
    func state(tree: RatchetTree, privateTree: PrivateTree, crypto: any SuiteCrypto) -> EpochState {
        EpochState(
            context: context, tree: tree, privateTree: privateTree, secrets: secrets, encryption: encryption,
            confirmationTag: confirmationTag, crypto: crypto)
    }
}
