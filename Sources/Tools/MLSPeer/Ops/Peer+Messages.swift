import MLS

/// handle, protect, unprotect: messages from and to the other members.
extension Peer {
    mutating func handle(_ request: Request) throws -> Answer {
        let message = try request.bytes("message")
        let now = clock()
        return try withGroup(request) { entry in
            switch try entry.process(message, now: now) {
            case .proposal(let pending):
                try entry.group.storeProposal(pending)
                return [
                    "kind": .string("proposal"), "proposal_type": .string(pending.proposal.typeName),
                    "proposal_ref": .hex(pending.reference.bytes),
                ]
            case .commit(let staged):
                try entry.merge(staged)
                return ["kind": .string("commit")] + entry.epochAnswer
                    + ["removed": .bool(staged.changes.selfRemoved)]
            }
        }
    }

    mutating func protect(_ request: Request) throws -> Answer {
        let plaintext = try request.bytes("plaintext")
        let framing = try Framing(request)
        let entropy = entropy
        return try withGroup(request) { entry in
            let message = try entry.framing(as: framing) { [signer = entry.signer] group in
                try group.protect(
                    plaintext, authenticatedData: framing.authenticatedData, signer: signer, entropy: entropy)
            }
            return ["message": .hex(message), "epoch": PeerJSON(entry.group.epoch)]
        }
    }

    mutating func unprotect(_ request: Request) throws -> Answer {
        let message = try request.bytes("message")
        return try withGroup(request) { entry in
            let opened = try entry.group.unprotect(message)
            return [
                "plaintext": .hex(opened.plaintext), "aad": .hex(opened.authenticatedData),
                "epoch": PeerJSON(opened.epoch),
            ]
        }
    }
}
