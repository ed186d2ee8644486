import MLS

/// commit and its shorter forms; what becomes of a commit that was not applied at once.
extension Peer {
    mutating func commit(_ request: Request) throws -> Answer { try commit(request) { _ in [] } }

    mutating func add(_ request: Request) throws -> Answer {
        try commit(request) { _ in
            let keyPackages =
                request.has("key_packages")
                ? try request.keyPackages("key_packages") : [try request.keyPackage("key_package")]
            return keyPackages.map { Proposal.add($0) }
        }
    }

    mutating func remove(_ request: Request) throws -> Answer {
        try commit(request) { group in
            [.remove(try request.leaf(identified: ProposalTarget(group).leaf))]
        }
    }

    mutating func update(_ request: Request) throws -> Answer {
        try commit(request, forcePath: true) { _ in [] }
    }

    /// - Parameter proposals: what is committed by value before what the request lists.
    private mutating func commit(
        _ request: Request, forcePath: Bool = false, proposals: (Group) throws -> [Proposal]
    ) throws -> Answer {
        let framing = try Framing(request)
        let forcePath = try request.bool("force_path", default: false) || forcePath
        let inlineTree = try request.bool("inline_tree", default: true)
        let apply = try request.bool("apply", default: true)
        let (entropy, now) = (entropy, clock())
        return try withGroup(request) { entry in
            if entry.pendingCommit != nil { throw PeerError("a commit is pending: apply or clear it first") }
            let proposals =
                try proposals(entry.group)
                + request.objects("by_value").map {
                    try Proposal($0, for: ProposalTarget(entry.group), entropy: entropy)
                }
            let staged = try entry.framing(as: framing) { [signer = entry.signer, psks = entry.knownPSKs] group in
                try group.commit(
                    proposals, forcePath: forcePath, authenticatedData: framing.authenticatedData,
                    inlineTree: inlineTree, psks: psks, signer: signer, now: now, entropy: entropy)
            }
            guard let next = staged.next else { throw PeerError("the commit leads nowhere") }
            if apply { try entry.merge(staged) } else { entry.pendingCommit = staged }
            let answer: Answer = ["commit": .hex(staged.message), "welcome": .hex(staged.welcome)]
            return answer + (inlineTree ? .empty : ["ratchet_tree": .hex(next.ratchetTree)]) + [
                "next_epoch": PeerJSON(next.epoch),
                "next_epoch_authenticator": .hex(next.epochAuthenticator.unwipedCopy),
            ]
        }
    }

    mutating func applyPending(_ request: Request) throws -> Answer {
        try withGroup(request) { entry in
            guard let staged = entry.pendingCommit else { throw PeerError("no commit is pending") }
            try entry.merge(staged)
            return entry.epochAnswer
        }
    }

    mutating func clearPending(_ request: Request) throws -> Answer {
        try withGroup(request) { entry in
            entry.pendingCommit = nil
            return .empty
        }
    }
}

extension PeerGroup {
    /// The state of the group after a commit.
    var epochAnswer: Answer {
        [
            "epoch": PeerJSON(group.epoch),
            "epoch_authenticator": .hex(group.isActive ? group.epochAuthenticator.unwipedCopy : nil),
        ]
    }
}
