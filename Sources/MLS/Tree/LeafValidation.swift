/// The steps of RFC 9420 §7.3, apart from the signature, which ``LeafNode/verifySignature(placement:crypto:)`` checks.
extension LeafNode {
    /// Checks what a leaf node must satisfy in any group: it supports the protocol and its own credential and
    /// extensions, and its key is valid.
    ///
    /// - Throws: `invalidLeafNode`, `invalidKey`, `tooLarge`.
    package func validateContent(crypto: any SuiteCrypto) throws(MLSError) {
        if encodedLength > Limits.leafNodeLength { throw MLSError(.tooLarge, "a leaf node of too many bytes") }
        // Its cipher suite is not checked: there are clients, those of the official test vectors among them, that leave
        // their own out of the list.
        if !capabilities.versions.contains(.mls10) {
            throw MLSError(.invalidLeafNode, "a leaf node does not support the version of its group")
        }
        if !capabilities.supports(credential.type) {
            throw MLSError(.invalidLeafNode, "a leaf node does not support its own credential type")
        }
        for entry in extensions where !capabilities.supports(entry.type) {
            throw MLSError(.invalidLeafNode, "a leaf node does not support its own extension \(entry.type.rawValue)")
        }
        if !crypto.isValidHPKEPublicKey(encryptionKey) {
            throw MLSError(.invalidKey, "the encryption key of a leaf node")
        }
    }

    /// Whether the lifetime of a key package's leaf node includes `now` (Unix seconds); other leaf nodes have none.
    ///
    /// - Throws: `expired`.
    package func checkLifetime(now: UInt64) throws(MLSError) {
        if case .keyPackage(let lifetime) = source, !lifetime.contains(now) {
            throw MLSError(.expired, "the lifetime of a leaf node")
        }
    }

    /// Whether the leaf node supports what a group asks of its members (RFC 9420 §7.3 and §13.4).
    ///
    /// - Throws: `invalidLeafNode`; `malformed` when the group's required_capabilities cannot be read.
    package func checkSupport(groupExtensions: [Extension]) throws(MLSError) {
        try capabilities.checkSupport(groupExtensions: groupExtensions, orThrow: .invalidLeafNode)
    }
}

extension Capabilities {
    fileprivate func checkSupport(groupExtensions: [Extension], orThrow code: MLSError.Code) throws(MLSError) {
        for entry in groupExtensions where !supports(entry.type) {
            throw MLSError(code, "a leaf node does not support group extension \(entry.type.rawValue)")
        }
        if let required = try groupExtensions.requiredCapabilities(), !satisfy(required) {
            throw MLSError(code, "a leaf node does not support what the group requires")
        }
    }

    /// Whether this client itself supports what a group asks of its members; the meaningless values that it sends along
    /// with its capabilities do not count (RFC 9420 §13.5).
    ///
    /// - Throws: `code`; `malformed` when the group's required_capabilities cannot be read.
    func checkOwnSupport(groupExtensions: [Extension], orThrow code: MLSError.Code) throws(MLSError) {
        try withoutGREASE.checkSupport(groupExtensions: groupExtensions, orThrow: code)
    }
}

extension RatchetTree {
    /// Checks a leaf node that is about to join or to replace another one, except for its signature and lifetime
    /// (RFC 9420 §7.3).
    ///
    /// - Parameters:
    ///   - replaced: whose leaf it replaces; nil for a new member.
    ///   - groupExtensions: those of the group context.
    /// - Throws: `invalidLeafNode`, `invalidKey`.
    package func validateLeaf(
        _ leaf: LeafNode, replacing replaced: LeafIndex?, groupExtensions: [Extension], crypto: any SuiteCrypto
    ) throws(MLSError) {
        try leaf.validateContent(crypto: crypto)
        try leaf.checkSupport(groupExtensions: groupExtensions)
        let old = replaced.flatMap { self[$0] }
        if contains(encryptionKey: leaf.encryptionKey) {
            throw MLSError(.invalidLeafNode, "the encryption key of a leaf node is in use")
        }
        if leaf.signatureKey != old?.signatureKey, contains(signatureKey: leaf.signatureKey) {
            throw MLSError(.invalidLeafNode, "the signature key of a leaf node is in use")
        }
        var others = tally
        if let old { others.remove(old) }
        if !others.allSupport(leaf.credential.type) {
            throw MLSError(.invalidLeafNode, "the credential type of a leaf node is not supported by all members")
        }
        if !others.credentialTypesInUse.allSatisfy(leaf.capabilities.supports) {
            throw MLSError(.invalidLeafNode, "a leaf node does not support the credential types of all members")
        }
    }

    /// Whether all members support an extension, as the group context's must be (RFC 9420 §12.1.7).
    package func allSupport(_ type: ExtensionType) -> Bool { tally.allSupport(type) }
    /// Whether all members support a proposal type, as one must be to be committed (RFC 9420 §12.2).
    package func allSupport(_ type: ProposalType) -> Bool { tally.allSupport(type) }
    /// Whether all members support a credential type.
    package func allSupport(_ type: CredentialType) -> Bool { tally.allSupport(type) }

    /// Whether all members support the extensions of a group context and what it requires (RFC 9420 §12.1.7).
    ///
    /// - Throws: `malformed` when the required_capabilities cannot be read.
    package func allSupport(groupExtensions: [Extension]) throws(MLSError) -> Bool {
        let required = try groupExtensions.requiredCapabilities() ?? RequiredCapabilities()
        return groupExtensions.allSatisfy { allSupport($0.type) } && required.extensions.allSatisfy(allSupport)
            && required.proposals.allSatisfy(allSupport) && required.credentials.allSatisfy(allSupport)
    }
}
