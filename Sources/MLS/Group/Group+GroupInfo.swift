extension Group {
    /// The public state of the present epoch, signed: for external joiners.
    ///
    /// - Parameters:
    ///   - extensions: more extensions, ``Extension/grease(from:)`` perhaps; not ratchet_tree and external_pub, which
    ///     the flags decide.
    ///   - inlineTree: whether the ratchet tree comes along.
    ///   - externalPub: whether the key for external commits comes along.
    ///   - entropy: what ``GroupConfiguration/sendsGREASE`` draws its values from; without it there are none.
    /// - Returns: a GroupInfo as MLSMessage.
    /// - Throws: `removed`, `invalidState`; `malformed` when an extension type comes twice.
    public func groupInfo(
        signer: SignaturePrivateKey, extensions: [Extension] = [], inlineTree: Bool = true, externalPub: Bool = true,
        entropy: (any EntropySource)? = nil
    ) throws(MLSError) -> [UInt8] {
        _ = try sendingLeaf(signer: signer)
        let info = try makeGroupInfo(
            signer: signer, extensions: extensions, inlineTree: inlineTree, externalPub: externalPub, entropy: entropy)
        return MLSMessage.groupInfo(info).encoded
    }

    func makeGroupInfo(
        signer: SignaturePrivateKey, extensions: [Extension] = [], inlineTree: Bool, externalPub: Bool,
        entropy: (any EntropySource)? = nil
    ) throws(MLSError) -> GroupInfo {
        var all = extensions
        if configuration.sendsGREASE, let entropy {
            let entry = Extension.grease(from: entropy)
            if all[entry.type] == nil { all.append(entry) }
        }
        if inlineTree { all.append(Extension(.ratchetTree, data: current.tree.encoded)) }
        if externalPub {
            var key = TLSWriter()
            key.writeOpaque(try ownSecrets().epoch.externalKey(crypto: crypto).publicKey)
            all.append(Extension(.externalPub, data: key.bytes))
        }
        try all.checkUnique()
        return try GroupInfo(
            context: current.context, extensions: all, confirmationTag: current.confirmationTag, signer: ownLeaf,
            signatureKey: signer, crypto: crypto)
    }
}
