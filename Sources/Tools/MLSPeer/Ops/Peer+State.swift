import MLS

/// Questions about a group, and about any message.
extension Peer {
    func groupInfo(_ request: Request) throws -> Answer {
        let entry = try group(request)
        let inlineTree = try request.bool("inline_tree", default: true)
        let info: Answer = [
            "group_info": .hex(try entry.group.groupInfo(signer: entry.signer, inlineTree: inlineTree))
        ]
        return inlineTree ? info : info + ["ratchet_tree": .hex(entry.group.ratchetTree)]
    }

    func ratchetTree(_ request: Request) throws -> Answer {
        ["ratchet_tree": .hex(try group(request).group.ratchetTree)]
    }

    func groupContext(_ request: Request) throws -> Answer {
        ["group_context": .hex(try group(request).group.groupContext.encoded)]
    }

    func roster(_ request: Request) throws -> Answer {
        let members = try group(request).group.members
        return [
            "roster": .array(
                members.map { member in
                    .object([
                        "index": PeerJSON(member.index.value), "identity": .hex(member.identity),
                        "signature_key": .hex(member.signatureKey),
                    ])
                })
        ]
    }

    func epochAuthenticator(_ request: Request) throws -> Answer {
        let group = try group(request).group
        return [
            "epoch": PeerJSON(group.epoch),
            "epoch_authenticator": .hex(group.epochAuthenticator.unwipedCopy),
            "tree_hash": .hex(group.groupContext.treeHash),
            "group_id": .hex(group.groupID),
        ]
    }

    func export(_ request: Request) throws -> Answer {
        let secret = try group(request).group.export(
            label: try request.text("label"), context: try request.bytes("context"),
            length: Int(try request.integer("length", as: UInt32.self)))
        return ["secret": .hex(secret.unwipedCopy)]
    }

    func decode(_ request: Request) throws -> Answer {
        let message = try MLSMessage(decoding: try request.bytes("message"))
        return ["wire_format": .string(message.wireFormat.name), "reencoded": .hex(message.encoded)]
    }
}

extension WireFormat {
    /// Its name in RFC 9420 §6.
    fileprivate var name: String {
        switch self {
        case .publicMessage: "mls_public_message"
        case .privateMessage: "mls_private_message"
        case .welcome: "mls_welcome"
        case .groupInfo: "mls_group_info"
        case .keyPackage: "mls_key_package"
        }
    }
}
