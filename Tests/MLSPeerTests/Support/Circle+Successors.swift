import Testing

@testable import MLSPeer

/// Groups that continue another one.
extension Circle {
    /// Some members make a group of their own.
    ///
    /// - Parameter chosen: their seats, the founder's first.
    func branch(_ chosen: [Int], groupID: PeerJSON) throws -> Circle {
        let (founder, keyPackages) = try freshKeyPackages(of: chosen, in: suite)
        let made = try ask(
            chosen[0], "branch",
            [
                "kp": founder, "group_id": groupID, "inline_tree": inlineTree, "encrypt": encrypt,
                "key_packages": .array(keyPackages.map { $0["key_package"] }),
            ])
        #expect(made["group_id"] == groupID)
        #expect(made["epoch"] == 1)
        var branch = [seat(chosen[0], in: made)]
        for (member, keyPackage) in zip(chosen.dropFirst(), keyPackages) {
            let joined = try ask(member, "branch_join", welcome(made, keyPackage))
            branch.append(seat(member, in: joined))
        }
        return Circle(like: self, seats: branch)
    }

    /// A proposed ReInit is committed, and all continue in the group it asks for.
    func reinitialize(by committer: Int, suite: PeerJSON, groupID: PeerJSON) throws -> Circle {
        let proposer = seats.count > 1 ? (committer + 1) % seats.count : committer
        try propose(
            proposer, "propose_reinit", ["group_id": groupID, "suite": suite, "extensions": []], type: "reinit")
        let commit = try ask(committer, "reinit_commit")
        #expect(commit["suite"] == suite)
        var tombstones: [PeerJSON] = []
        for member in seats.indices {
            if member == committer {
                tombstones.append(commit["tombstone"])
                continue
            }
            let heard = try ask(member, "handle_reinit_commit", ["commit": commit["commit"]])
            #expect(heard["suite"] == suite)
            #expect(heard["epoch_authenticator"] == commit["epoch_authenticator"])
            tombstones.append(heard["tombstone"])
        }
        let order = [committer] + seats.indices.filter { $0 != committer }
        let (founder, keyPackages) = try freshKeyPackages(of: order, in: suite)
        let made = try seats[committer].partner.ask(
            "reinit_welcome",
            [
                "tombstone": tombstones[committer], "kp": founder, "inline_tree": inlineTree, "encrypt": encrypt,
                "key_packages": .array(keyPackages.map { $0["key_package"] }),
            ])
        #expect(made["group_id"] == groupID)
        var successors = [seat(committer, in: made)]
        for (member, keyPackage) in zip(order.dropFirst(), keyPackages) {
            let fields = welcome(made, keyPackage).merging(["tombstone": tombstones[member]]) { $1 }
            successors.append(seat(member, in: try seats[member].partner.ask("reinit_join", fields)))
        }
        for (seat, tombstone) in zip(seats, tombstones) {
            try seat.partner.ask("free", ["tombstone": tombstone])
            try seat.partner.refused("free", ["tombstone": tombstone])
        }
        return Circle(like: self, suite: suite, seats: successors)
    }

    private func seat(_ member: Int, in answer: Reply) -> Seat {
        Seat(partner: seats[member].partner, group: answer["group"], identity: seats[member].identity)
    }

    private func welcome(_ made: Reply, _ keyPackage: Reply) -> [String: PeerJSON] {
        let fields: [String: PeerJSON] = [
            "kp": keyPackage["kp"], "welcome": made["welcome"], "encrypt": encrypt,
        ]
        return made["ratchet_tree"] == .null ? fields : fields.merging(["ratchet_tree": made["ratchet_tree"]]) { $1 }
    }

    /// The handle of the first one's, and the answers to the others.
    private func freshKeyPackages(
        of members: [Int], in suite: PeerJSON
    ) throws -> (founder: PeerJSON, others: [Reply]) {
        let all = try members.map { member in
            try seats[member].partner.ask("key_package", ["suite": suite, "identity": seats[member].identity])
        }
        return (all[0]["kp"], Array(all.dropFirst()))
    }
}
