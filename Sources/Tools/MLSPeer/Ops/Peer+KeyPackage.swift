import MLS

/// key_package.
extension Peer {
    mutating func keyPackage(_ request: Request) throws -> Answer {
        let crypto = try crypto(request)
        let identity = try request.bytes("identity")
        let lifetime = try request.optionalObject("lifetime").map { lifetime in
            Lifetime(
                notBefore: try lifetime.integer("not_before"), notAfter: try lifetime.integer("not_after"))
        }
        let signer = try signatureKey(request, crypto: crypto)
        let initKey = try hpkeKey("init_priv", request, crypto: crypto)
        let encryptionKey = try hpkeKey("encryption_priv", request, crypto: crypto)
        let leafNode = try LeafNode(
            encryptionKey: encryptionKey.publicKey,
            profile: .init(
                credential: .basic(identity: identity), capabilities: try Self.capabilities(request),
                extensions: try request.extensions("leaf_extensions")),
            source: .keyPackage(lifetime ?? standardLifetime), placement: nil, signer: signer, crypto: crypto)
        let keyPackage = try KeyPackage(
            initKey: initKey.publicKey, leafNode: leafNode, extensions: try request.extensions("kp_extensions"),
            signer: signer, crypto: crypto)
        let bundle = try KeyPackageBundle(
            keyPackage: keyPackage, initKey: initKey.raw, encryptionKey: encryptionKey.raw, crypto: crypto)

        let handle = newHandle()
        keyPackages.insert(PeerKeyPackage(bundle: bundle, signer: signer), as: handle)
        return [
            "kp": PeerJSON(handle),
            "key_package": .hex(keyPackage.message),
            "key_package_ref": .hex(keyPackage.ref(crypto: crypto).bytes),
            "init_priv": .hex(initKey.raw.unwipedCopy),
            "encryption_priv": .hex(encryptionKey.raw.unwipedCopy),
            "signature_priv": .hex(signer.raw.unwipedCopy),
        ]
    }

    /// From an hour ago, for clocks that go slow, to four weeks ahead.
    var standardLifetime: Lifetime {
        let now = clock()
        return Lifetime(notBefore: now - min(now, 3600), notAfter: now.addingReportingOverflow(28 * 86400).partialValue)
    }

    private func signatureKey(_ request: Request, crypto: any SuiteCrypto) throws -> SignaturePrivateKey {
        guard let raw = try request.optionalBytes("signature_priv") else {
            return try crypto.generateSignatureKey(entropy)
        }
        return try crypto.signatureKey(raw: Secret(raw))
    }

    private func hpkeKey(_ name: String, _ request: Request, crypto: any SuiteCrypto) throws -> HPKEPrivateKey {
        guard let raw = try request.optionalBytes(name) else { return try crypto.generateHPKEKey(entropy) }
        return try crypto.hpkeKey(raw: Secret(raw))
    }

    /// Exactly what the request lists; what it does not mention is as usual, including leaf extensions.
    private static func capabilities(_ request: Request) throws -> Capabilities {
        var capabilities = Capabilities()
        guard let listed = try request.optionalObject("capabilities") else {
            capabilities.support(try request.extensions("leaf_extensions").map(\.type))
            return capabilities
        }
        if listed.has("extensions") {
            capabilities.extensions = try listed.integers("extensions").map { ExtensionType($0) }
        }
        if listed.has("proposals") {
            capabilities.proposals = try listed.integers("proposals").map { ProposalType($0) }
        }
        return capabilities
    }
}

extension Capabilities {
    /// Adds extension types that are neither implied nor listed yet.
    mutating func support(_ types: [ExtensionType]) {
        for type in types where !supports(type) { extensions.append(type) }
    }

    /// What a member must support at least in a group with these extensions.
    init(toSupport groupExtensions: [Extension]) throws {
        self.init()
        support(groupExtensions.map(\.type))
        guard let required = try groupExtensions.requiredCapabilities() else { return }
        support(required.extensions)
        for type in required.proposals where !supports(type) { proposals.append(type) }
    }
}
