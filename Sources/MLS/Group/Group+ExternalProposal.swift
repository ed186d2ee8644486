/// Proposals by those who are not in the group (RFC 9420 §12.1.8). They are sent as PublicMessage, signed but without a
/// membership tag.
///
/// The GroupInfo is not verified here, as it may come without its tree: a false one leads to a proposal that no group
/// accepts.
extension Group {
    /// Makes a proposal of an external sender, one that the group's `external_senders` name (RFC 9420 §12.1.8.1).
    ///
    /// - Parameters:
    ///   - proposal: an Add, Remove, PreSharedKey, ReInit or GroupContextExtensions.
    ///   - groupInfo: of the group's present epoch; MLSMessage.
    ///   - signer: the key of one of the external senders.
    ///   - now: Unix seconds; the lifetime of a key package to be added must include it. Nil leaves that check to the
    ///     committer.
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `malformed`; `invalidProposal` for a type that only members may propose; `invalidState` when the
    ///   signer is not among the external senders; `unsupported` for a group of another cipher suite; for an Add that
    ///   no group or not this one takes `invalidKeyPackage`, `invalidLeafNode`, `invalidKey`, `expired`,
    ///   `invalidSignature`.
    public static func externalProposal(
        _ proposal: Proposal, groupInfo: [UInt8], authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        crypto: any SuiteCrypto, now: UInt64?
    ) throws(MLSError) -> [UInt8] {
        if !proposal.mayBeExternal { throw MLSError(.invalidProposal, "a proposal that only members may make") }
        try proposal.check(suite: crypto.suite)
        let context = try context(of: groupInfo, crypto: crypto)
        if case .add(let keyPackage) = proposal { try check(keyPackage, for: context, crypto: crypto, now: now) }
        let senders = try context.extensions.externalSenders()
        guard let index = senders.firstIndex(where: { $0.signatureKey == signer.publicKey }) else {
            throw MLSError(.invalidState, "the signer is not among the group's external senders")
        }
        return try propose(
            proposal, as: .external(UInt32(index)), in: context, authenticatedData: authenticatedData, signer: signer,
            crypto: crypto)
    }

    /// Proposes one's own Add to a group (RFC 9420 §12.1.8, sender type `new_member_proposal`).
    ///
    /// Members accept such a proposal only with ``GroupConfiguration/acceptsNewMemberProposals``.
    /// - Parameters:
    ///   - keyPackage: one's own; its private keys are needed for the Welcome.
    ///   - groupInfo: of the group's present epoch; MLSMessage.
    ///   - signer: the key of the key package.
    ///   - now: Unix seconds; the lifetime of the key package must include it. Nil leaves that check to the committer.
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `malformed`; `invalidState` when the signer is not the key package's; `unsupported` for a group of
    ///   another cipher suite; `invalidKeyPackage`, `invalidLeafNode`, `invalidKey`, `expired`, `invalidSignature` for
    ///   a key package that no group or not this one takes.
    public static func newMemberProposal(
        _ keyPackage: KeyPackage, groupInfo: [UInt8], authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        crypto: any SuiteCrypto, now: UInt64?
    ) throws(MLSError) -> [UInt8] {
        if keyPackage.leafNode.signatureKey != signer.publicKey {
            throw MLSError(.invalidState, "the signer is not the one of the key package")
        }
        let context = try context(of: groupInfo, crypto: crypto)
        try check(keyPackage, for: context, crypto: crypto, now: now)
        return try propose(
            .add(keyPackage), as: .newMemberProposal, in: context, authenticatedData: authenticatedData,
            signer: signer, crypto: crypto)
    }

    /// The checks of an Add that need no view of the members (RFC 9420 §10.1).
    private static func check(
        _ keyPackage: KeyPackage, for context: GroupContext, crypto: any SuiteCrypto, now: UInt64?
    ) throws(MLSError) {
        try keyPackage.validate(crypto: crypto, now: now)
        try keyPackage.leafNode.checkSupport(groupExtensions: context.extensions)
    }

    private static func context(of groupInfo: [UInt8], crypto: any SuiteCrypto) throws(MLSError) -> GroupContext {
        guard case .groupInfo(let info) = try MLSMessage(decoding: groupInfo) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        if info.context.suite != crypto.suite { throw MLSError(.unsupported, "the group has another cipher suite") }
        return info.context
    }

    private static func propose(
        _ proposal: Proposal, as sender: Sender, in context: GroupContext, authenticatedData: [UInt8],
        signer: SignaturePrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) -> [UInt8] {
        try checkLength(authenticatedData)
        let content = FramedContent(
            groupID: context.groupID, epoch: context.epoch, sender: sender, authenticatedData: authenticatedData,
            body: .proposal(proposal))
        let signed = try AuthenticatedContent.sign(
            content, as: .publicMessage, context: context.encoded, signer: signer, crypto: crypto)
        return MLSMessage.publicMessage(PublicMessage(fromOutside: signed)).encoded
    }
}
