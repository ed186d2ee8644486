import Testing

@testable import MLSPeer

/// A life of a group that needs every op, in chapters; each leaves a group on which its members agree.
final class GroupLife {
    private(set) var partners: [Partner]
    private let newPartner: (String) -> Partner
    private let circle: Circle

    private var ada: Partner { partners[0] }
    private var ben: Partner { partners[1] }
    private var cleo: Partner { partners[2] }
    private var dan: Partner { partners[3] }
    private var eve: Partner { partners[4] }

    init(
        suite: UInt16, encrypt: Bool, inlineTree: Bool, newPartner: @escaping (String) -> Partner = { Partner($0) }
    ) throws {
        self.newPartner = newPartner
        partners = ["ada", "ben", "cleo", "dan", "eve"].map(newPartner)
        for partner in partners { try partner.ask("set", ["keep_epochs": 5]) }
        circle = try Circle(partners[0], suite: suite, encrypt: encrypt, inlineTree: inlineTree)
    }

    func run() throws {
        for chapter in [
            addMembers, proposeAndCommit, holdACommitBack, joinFromOutside, mixInKeys, mixInOlderEpochs,
            hearThoseOutside, talk, decode, branch, leave, goOnElsewhere,
        ] {
            try chapter()
            try circle.expectAgreement()
        }
        try end()
    }

    /// Someone who has not been there yet.
    private func stranger(_ name: String) -> Partner {
        partners.append(newPartner(name))
        return partners[partners.count - 1]
    }

    private func addMembers() throws {
        let first = try circle.newcomer(ben)
        try circle.commit(0, "add", ["key_package": first.keyPackage["key_package"]], joining: [first])
        let both = [try circle.newcomer(cleo), try circle.newcomer(dan)]
        let keyPackages = PeerJSON.array(both.map { $0.keyPackage["key_package"] })
        try circle.commit(1, "add", ["key_packages": keyPackages, "force_path": true, "aad": "aa"], joining: both)
    }

    private func proposeAndCommit() throws {
        let newcomer = try circle.newcomer(eve)
        try circle.propose(1, "propose_add", ["key_package": newcomer.keyPackage["key_package"]], type: "add")
        try circle.propose(2, "propose_update", ["aad": "0102", "padding": 7], type: "update")
        try circle.propose(2, "propose_remove", ["identity": dan.identity], type: "remove")
        try circle.commit(0, joining: [newcomer])
        #expect(circle.seats.map(\.partner.name) == ["ada", "ben", "cleo", "eve"])
        try circle.commit(3, "update")
        // Whatever the group's framing is, a single message may have the other.
        let other = PeerJSON.bool(circle.encrypt != true)
        let made = try circle.propose(0, "propose_update", ["encrypt": other], type: "update")
        #expect(
            try ada.ask("decode", ["message": made["proposal"]])["wire_format"]
                == (other == true ? "mls_private_message" : "mls_public_message"))
        try circle.commit(1, "commit", ["encrypt": other])
    }

    private func holdACommitBack() throws {
        let before = try circle.ask(0, "epoch_authenticator")
        let waiting = try circle.ask(0, "update", ["apply": false])
        #expect(try circle.ask(0, "epoch_authenticator")["epoch"] == before["epoch"])
        #expect(try circle.refused(0, "update").contains("pending"))
        try circle.ask(0, "clear_pending")
        #expect(try circle.refused(0, "apply_pending").contains("pending"))
        // A commit that has been cleared is only a message of our own.
        try circle.refused(0, "handle", ["message": waiting["commit"]])

        let second = try circle.ask(0, "update", ["apply": false])
        let applied = try circle.ask(0, "apply_pending")
        #expect(applied["epoch_authenticator"] == second["next_epoch_authenticator"])
        try circle.follow(second["commit"], by: 0, to: second["next_epoch_authenticator"])

        let third = try circle.ask(1, "update", ["apply": false])
        try circle.follow(third["commit"], by: nil, to: third["next_epoch_authenticator"])

        // A member that loses the race follows the winner, and its own commit is gone.
        try circle.ask(0, "update", ["apply": false])
        try circle.commit(1, "update")
        try circle.refused(0, "apply_pending")
    }

    private func joinFromOutside() throws {
        try circle.joinExternally(dan, by: 0)
        #expect(circle.seats.count == 5)
        // Dan comes back on a new device, once by name and once by place.
        try circle.joinExternally(dan, by: 1, ["remove_prior": true])
        #expect(circle.seats.count == 5)
        try circle.expectAgreement()
        let place = try #require(circle.members().first { $0.identity == dan.identity }?.index)
        try circle.joinExternally(dan, by: 2, ["remove_index": place])
        #expect(circle.seats.count == 5)
    }

    private func mixInKeys() throws {
        let psk: [String: PeerJSON] = ["psk_id": "1d", "psk": "5ec2e7"]
        for seat in circle.seats.indices { try circle.ask(seat, "store_psk", psk) }
        let before = try circle.ask(0, "epoch_authenticator")
        try circle.propose(1, "propose_psk", ["psk_id": "1d"], type: "psk")
        try circle.commit(0)
        #expect(try circle.ask(0, "epoch_authenticator")["epoch"] != before["epoch"])
        try circle.commit(0, "commit", ["by_value": [["type": "psk", "psk_id": "1d"]]])
        try circle.refused(0, "commit", ["by_value": [["type": "psk", "psk_id": "99"]]])
        // Anyone who joins by this commit needs the key, too.
        try circle.commit(1, "remove", ["identity": eve.identity])
        let newcomer = try circle.newcomer(eve)
        let add: PeerJSON = ["type": "add", "key_package": newcomer.keyPackage["key_package"]]
        try circle.commit(
            0, "commit", ["by_value": [add, ["type": "psk", "psk_id": "1d"]]], joining: [newcomer],
            psks: [.object(psk)])
        let fay = stranger("fay")
        try circle.joinExternally(fay, by: 1, ["psks": [.object(psk)]])
        // What was needed to join is known from then on.
        try circle.commit(0, "commit", ["by_value": [["type": "psk", "psk_id": "1d"]]])
        try circle.commit(0, "remove", ["identity": fay.identity])
    }

    private func mixInOlderEpochs() throws {
        let epoch = try circle.ask(0, "epoch_authenticator")["epoch"]
        let secret = try circle.ask(0, "resumption_psk")["psk"]
        let groupID = try circle.ask(0, "epoch_authenticator")["group_id"]
        for seat in circle.seats.indices { #expect(try circle.ask(seat, "resumption_psk")["psk"] == secret) }
        try circle.commit(0, "update")
        try circle.propose(2, "propose_resumption_psk", ["epoch": epoch], type: "psk")
        try circle.commit(1)

        // Someone who was not there then can be told the secret; someone who was not told cannot follow.
        let resumption: PeerJSON = ["type": "resumption_psk", "epoch": epoch]
        let newcomer = try circle.newcomer(stranger("gil"))
        try circle.commit(0, "add", ["key_package": newcomer.keyPackage["key_package"]], joining: [newcomer])
        let made = try circle.ask(0, "commit", ["by_value": [resumption], "apply": false])
        try circle.refused(circle.seats.count - 1, "handle", ["message": made["commit"]])
        try circle.ask(0, "clear_pending")
        try circle.ask(
            circle.seats.count - 1, "add_resumption_psk", ["psk_group_id": groupID, "epoch": epoch, "psk": secret])
        try circle.commit(0, "commit", ["by_value": [resumption]])
        try circle.commit(circle.seats.count - 1, "commit", ["by_value": [resumption]])
        try circle.commit(0, "remove", ["identity": newcomer.identity])
    }

    private func hearThoseOutside() throws {
        let signer = try eve.ask("external_signer", ["suite": circle.suite, "identity": "ee"])
        try circle.refused(0, "propose_gce", ["extensions": [["type": 0xFF77, "data": ""]], "encrypt": 1])
        try circle.propose(1, "propose_gce", ["extensions": [signer["extension"]]], type: "gce")
        try circle.commit(0)

        // An external sender asks for an Add, then for the same member to go.
        let newcomer = try circle.newcomer(stranger("hal"))
        let add = try eve.ask(
            "external_propose",
            [
                "signer": signer["signer"], "group_info": try circle.ask(0, "group_info")["group_info"],
                "proposal": ["type": "add", "key_package": newcomer.keyPackage["key_package"]],
            ])
        try circle.spread(add["proposal"], type: "add")
        try circle.commit(1, joining: [newcomer])
        try circle.expectAgreement()
        let remove = try eve.ask(
            "external_propose",
            [
                "signer": signer["signer"], "group_info": try circle.ask(0, "group_info")["group_info"],
                "proposal": ["type": "remove", "identity": newcomer.identity],
            ])
        try circle.spread(remove["proposal"], type: "remove")
        try circle.commit(2)
        try eve.ask("free", ["signer": signer["signer"]])

        // Someone asks for their own Add, without seeing the tree.
        let asking = try circle.newcomer(stranger("ida"))
        let request = try asking.partner.ask(
            "new_member_add",
            [
                "kp": asking.keyPackage["kp"],
                "group_info": try circle.ask(1, "group_info", ["inline_tree": false])["group_info"],
            ])
        try circle.spread(request["proposal"], type: "add")
        try circle.commit(0, joining: [asking])
        try circle.commit(0, "remove", ["identity": asking.identity])
        try circle.commit(0, "commit", ["by_value": [["type": "gce", "extensions": []]]])
    }

    private func branch() throws {
        let offshoot = try circle.branch([1, 2], groupID: "b0b0")
        try offshoot.expectAgreement()
        try offshoot.commit(1, "update")
        try offshoot.chat(0)
        try offshoot.expectAgreement()
    }

    /// All continue in another group of another suite.
    private func goOnElsewhere() throws {
        try circle.refused(0, "reinit_commit")
        let successor = try circle.reinitialize(by: 0, suite: circle.suite == 3 ? 1 : 3, groupID: "face")
        // The old group is over.
        #expect(try circle.refused(0, "protect", ["plaintext": "00"]).contains("ReInit"))
        try successor.commit(1, "update")
        try successor.chat(0)
        try successor.expectAgreement()
    }

    private func talk() throws {
        try circle.chat(0)
        try circle.chat(1, ["plaintext": "", "aad": "c0ffee", "padding": 1000])
        // Late and out of order, across epochs of the window.
        let sent = try (0..<3).map { number in
            let sent = try circle.ask(2, "protect", ["plaintext": .hex([UInt8(number)])])
            try circle.commit(number % 2, "update")
            return sent
        }
        for (number, message) in sent.enumerated().reversed() {
            let read = try circle.ask(0, "unprotect", ["message": message["message"]])
            #expect(read["plaintext"] == .hex([UInt8(number)]))
            #expect(read["epoch"] == message["epoch"])
            try circle.refused(0, "unprotect", ["message": message["message"]])
        }
        // A reader keeps as many epochs as it was told to.
        try circle.seats[1].partner.ask("set", ["keep_epochs": 3])
        for _ in 0..<2 { try circle.commit(0, "update") }
        #expect(try circle.refused(1, "unprotect", ["message": sent[1]["message"]]).contains("epochTooOld"))
        try circle.ask(1, "unprotect", ["message": sent[2]["message"]])
        try circle.seats[1].partner.ask("set", ["keep_epochs": 5])
    }

    private func decode() throws {
        let newcomer = try circle.newcomer(stranger("gus"))
        let commit = try circle.ask(
            0, "commit",
            [
                "by_value": [["type": "add", "key_package": newcomer.keyPackage["key_package"]]], "apply": false,
                "encrypt": false,
            ])
        let update = try circle.ask(1, "propose_update", ["encrypt": true])
        let messages: [(PeerJSON, PeerJSON)] = [
            (newcomer.keyPackage["key_package"], "mls_key_package"), (commit["welcome"], "mls_welcome"),
            (commit["commit"], "mls_public_message"), (update["proposal"], "mls_private_message"),
            (try circle.ask(0, "group_info")["group_info"], "mls_group_info"),
        ]
        for (message, format) in messages {
            let decoded = try ada.ask("decode", ["message": message])
            #expect(decoded["wire_format"] == format)
            #expect(decoded["reencoded"] == message)
        }
        try circle.ask(0, "clear_pending")
        try circle.commit(0, "update")
    }

    private func leave() throws {
        try circle.propose(1, "propose_remove", ["index": try #require(circle.members().last).index], type: "remove")
        try circle.commit(0)
        try circle.commit(1, "remove", ["index": try #require(circle.members().last).index])
    }

    private func end() throws {
        let keyPackage = try ada.ask("key_package", ["suite": circle.suite, "identity": "00"])
        try ada.ask("free", ["kp": keyPackage["kp"]])
        #expect(try ada.refused("free", ["kp": keyPackage["kp"]]).contains("no key package"))
        for seat in circle.seats.indices {
            try circle.ask(seat, "free")
            #expect(try circle.refused(seat, "epoch_authenticator").contains("no group"))
        }
        try ben.ask("quit")
    }
}
