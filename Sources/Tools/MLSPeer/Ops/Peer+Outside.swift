import MLS

/// new_member_add, external_signer, external_propose: proposals from outside the group.
extension Peer {
    func newMemberAdd(_ request: Request) throws -> Answer {
        let own = try keyPackages[try request.integer("kp")]
        let proposal = try Group.newMemberProposal(
            own.bundle.keyPackage, groupInfo: try request.bytes("group_info"),
            authenticatedData: try request.optionalBytes("aad") ?? [], signer: own.signer,
            crypto: try provider.suite(own.bundle.keyPackage.cipherSuite), now: nil)
        return ["proposal": .hex(proposal)]
    }

    mutating func externalSigner(_ request: Request) throws -> Answer {
        let crypto = try crypto(request)
        let credential = Credential.basic(identity: try request.bytes("identity"))
        let key = try crypto.generateSignatureKey(entropy)
        let sender = ExternalSender(signatureKey: key.publicKey, credential: credential)
        let handle = newHandle()
        signers.insert(PeerSigner(key: key, suite: crypto.suite), as: handle)
        let list = Extension.externalSenders([sender])
        return [
            "signer": PeerJSON(handle),
            "external_sender": .hex(sender.encoded),
            // Ready to be put into a list of extensions.
            "extension": .object(["type": PeerJSON(list.type.rawValue), "data": .hex(list.data)]),
        ]
    }

    func externalPropose(_ request: Request) throws -> Answer {
        let signer = try signers[try request.integer("signer")]
        let proposal = try Proposal(
            try request.object("proposal"), for: ProposalTarget(try request.groupInfo("group_info")), entropy: entropy)
        let message = try Group.externalProposal(
            proposal, groupInfo: try request.bytes("group_info"),
            authenticatedData: try request.optionalBytes("aad") ?? [], signer: signer.key,
            crypto: try provider.suite(signer.suite), now: nil)
        return ["proposal": .hex(message)]
    }
}
