import Testing

@testable import MLSPeer

/// One random life of a group.
struct RandomLife {
    private(set) var circle: Circle
    private let partners: [Partner]
    /// What all partners can do.
    private let ops: Set<String>
    private let suites: [PeerJSON]
    private var random: SeededGenerator
    /// Messages on their way.
    private var mail: [Letter] = []
    private var born = 0
    /// The external sender that the group knows at present.
    private var signer: (partner: Partner, handle: PeerJSON)?

    private struct Letter {
        let reader: Circle.Seat
        let message: PeerJSON
        let plaintext: PeerJSON
        let aad: PeerJSON
        let epoch: Int
    }

    init(seed: UInt64, partners: [Partner]) throws {
        self.partners = partners
        random = SeededGenerator(seed: seed)
        let infos = try partners.map { try $0.ask("info") }
        ops = try Self.common(infos, "ops").reduce(into: []) { if case .string(let op) = $1 { $0.insert(op) } }
        suites = try Self.common(infos, "suites").sorted { $0.text < $1.text }
        guard case .integer(let number)? = suites.randomElement(using: &random) else {
            throw PeerError("there is no suite that all know")
        }
        circle = try Circle(
            partners[0], identity: "00", suite: UInt16(number), encrypt: random.flip(), inlineTree: random.flip())
        try add()
    }

    private static func common(_ infos: [Reply], _ name: String) throws -> Set<PeerJSON> {
        let lists = infos.map { info -> Set<PeerJSON> in
            if case .array(let values) = info[name] { Set(values) } else { [] }
        }
        return lists.dropFirst().reduce(lists[0]) { $0.intersection($1) }
    }

    mutating func step() throws {
        switch random.below(16) {
        case 0...3: try send()
        case 4: try add()
        case 5: try remove()
        case 6: try circle.commit(anybody(), random.flip() ? "update" : "commit", framing())
        case 7, 8: try commitProposals()
        case 9: try joinExternally()
        case 10: try mixInPSK()
        case 11: try mixInResumption()
        case 12: try holdBack()
        case 13: try changeContext()
        case 14: try proposeFromOutside()
        default: try goOn()
        }
        try deliverSomeMail()
    }

    // MARK: Choices

    private mutating func anybody() -> Int { random.below(circle.seats.count) }

    private mutating func somebodyElse(than seat: Int) -> Int {
        (seat + 1 + random.below(circle.seats.count - 1)) % circle.seats.count
    }

    private mutating func bytes(upTo length: Int) -> PeerJSON {
        .hex((0..<random.below(length + 1)).map { _ in UInt8(random.below(256)) })
    }

    /// How one message goes out.
    private mutating func framing() -> [String: PeerJSON] {
        var fields: [String: PeerJSON] = [:]
        if random.below(3) == 0 { fields["encrypt"] = .bool(random.flip()) }
        if random.below(3) == 0 { fields["aad"] = bytes(upTo: 40) }
        if random.below(3) == 0 { fields["padding"] = PeerJSON(random.below(300)) }
        return fields
    }

    private mutating func newIdentity() -> PeerJSON {
        born += 1
        return .hex([UInt8(born >> 8), UInt8(born & 255)])
    }

    /// Some have values in their key package that mean nothing to anyone (RFC 9420 §13.5).
    private mutating func newcomer() throws -> Circle.Newcomer {
        let reserved: [String: PeerJSON] =
            random.flip()
            ? [:]
            : [
                "capabilities": ["extensions": [0x0A0A, 0xEAEA], "proposals": [0x1A1A]],
                "leaf_extensions": [["type": 0x0A0A, "data": bytes(upTo: 10)]],
                "kp_extensions": [["type": 0x3A3A, "data": bytes(upTo: 10)]],
            ]
        return try circle.newcomer(partners[random.below(partners.count)], identity: newIdentity(), reserved)
    }

    /// Whoever made a message, all write it back as they read it.
    private mutating func reencode(_ message: PeerJSON) throws {
        let partner = partners[random.below(partners.count)]
        #expect(try partner.ask("decode", ["message": message])["reencoded"] == message)
    }

    // MARK: Messages

    private mutating func send() throws {
        for _ in 0...random.below(3) {
            let author = anybody()
            var fields = framing()
            fields["encrypt"] = nil
            fields["plaintext"] = bytes(upTo: 200)
            let sent = try circle.ask(author, "protect", fields)
            try reencode(sent["message"])
            for reader in circle.seats.indices where reader != author {
                mail.append(
                    Letter(
                        reader: circle.seats[reader], message: sent["message"], plaintext: fields["plaintext"] ?? "",
                        aad: fields["aad"] ?? "", epoch: try sent.integer("epoch")))
            }
        }
    }

    /// In any order; what would soon fall out of the window goes now.
    private mutating func deliverSomeMail() throws {
        let epoch = try circle.ask(0, "epoch_authenticator").integer("epoch")
        let members = Set(circle.seats.map { [$0.identity, $0.group] })
        mail.removeAll { !members.contains([$0.reader.identity, $0.reader.group]) }
        mail.shuffle(using: &random)
        var kept: [Letter] = []
        for letter in mail {
            if letter.epoch + 6 > epoch, random.below(3) > 0 {
                kept.append(letter)
                continue
            }
            let read = try letter.reader.partner.ask(
                "unprotect", ["group": letter.reader.group, "message": letter.message])
            #expect(read["plaintext"] == letter.plaintext)
            #expect(read["aad"] == letter.aad)
            #expect(try read.integer("epoch") == letter.epoch)
            try letter.reader.partner.refused("unprotect", ["group": letter.reader.group, "message": letter.message])
        }
        mail = kept
    }

    // MARK: Members

    private mutating func add() throws {
        if circle.seats.count > 6 { return try remove() }
        let newcomers = try (0...random.below(2)).map { _ in try newcomer() }
        let keyPackages = PeerJSON.array(newcomers.map { $0.keyPackage["key_package"] })
        var fields = framing()
        fields["key_packages"] = keyPackages
        fields["force_path"] = .bool(random.flip())
        try circle.commit(anybody(), "add", fields, joining: newcomers)
    }

    private mutating func remove() throws {
        if circle.seats.count < 3 { return try add() }
        let author = anybody()
        let leaving = circle.seats[somebodyElse(than: author)]
        try circle.commit(author, "remove", framing().merging(["identity": leaving.identity]) { $1 })
    }

    private mutating func joinExternally() throws {
        if !ops.contains("external_join") || circle.seats.count > 7 { return try remove() }
        let host = anybody()
        if random.flip() {
            try circle.joinExternally(partners[random.below(partners.count)], identity: newIdentity(), by: host)
        } else {
            let returning = circle.seats[somebodyElse(than: host)]
            try circle.joinExternally(
                returning.partner, identity: returning.identity, by: host, ["remove_prior": true])
        }
    }

    /// Others propose, and one commits, now and then with something of its own.
    private mutating func commitProposals() throws {
        let committer = anybody()
        var newcomers: [Circle.Newcomer] = []
        var leaving: Int?
        if circle.seats.count > 3, random.below(3) == 0 {
            let member = somebodyElse(than: committer)
            try circle.propose(
                anybody(), "propose_remove", framing().merging(["identity": circle.seats[member].identity]) { $1 },
                type: "remove")
            leaving = member
        }
        for proposer in circle.seats.indices where proposer != committer && proposer != leaving && random.flip() {
            if random.below(3) == 0, circle.seats.count + newcomers.count < 7 {
                let newcomer = try newcomer()
                newcomers.append(newcomer)
                try circle.propose(
                    proposer, "propose_add",
                    framing().merging(["key_package": newcomer.keyPackage["key_package"]]) { $1 }, type: "add")
            } else {
                try circle.propose(proposer, "propose_update", framing(), type: "update")
            }
        }
        var fields = framing()
        if random.flip() {
            let newcomer = try newcomer()
            newcomers.append(newcomer)
            fields["by_value"] = [["type": "add", "key_package": newcomer.keyPackage["key_package"]]]
        }
        try circle.commit(committer, "commit", fields, joining: newcomers)
    }

    // MARK: Keys

    private mutating func mixInPSK() throws {
        let psk: [String: PeerJSON] = ["psk_id": newIdentity(), "psk": bytes(upTo: 64)]
        for seat in circle.seats.indices { try circle.ask(seat, "store_psk", psk) }
        let byValue = PeerJSON.object(["type": "psk", "psk_id": psk["psk_id"] ?? ""])
        if random.flip() {
            let newcomer = try newcomer()
            let add: PeerJSON = ["type": "add", "key_package": newcomer.keyPackage["key_package"]]
            try circle.commit(
                anybody(), "commit", ["by_value": [byValue, add]], joining: [newcomer], psks: [.object(psk)])
        } else {
            try circle.propose(anybody(), "propose_psk", ["psk_id": psk["psk_id"] ?? ""], type: "psk")
            try circle.commit(anybody(), "commit", ["force_path": .bool(random.flip())])
        }
    }

    private mutating func mixInResumption() throws {
        if !ops.contains("propose_resumption_psk") { return try mixInPSK() }
        let now = try circle.ask(0, "epoch_authenticator")
        if random.flip(), circle.seats.count < 7, ops.isSuperset(of: ["resumption_psk", "add_resumption_psk"]) {
            // Someone who was not there yet is told the secret.
            let secret = try circle.ask(anybody(), "resumption_psk")["psk"]
            let newcomer = try newcomer()
            try circle.commit(
                anybody(), "add", ["key_package": newcomer.keyPackage["key_package"]], joining: [newcomer])
            try circle.ask(
                circle.seats.count - 1, "add_resumption_psk",
                ["psk_group_id": now["group_id"], "epoch": now["epoch"], "psk": secret])
        }
        if random.flip() {
            try circle.propose(anybody(), "propose_resumption_psk", ["epoch": now["epoch"]], type: "psk")
            try circle.commit(anybody())
        } else {
            let byValue: PeerJSON = ["type": "resumption_psk", "epoch": now["epoch"]]
            try circle.commit(anybody(), "commit", ["by_value": [byValue]])
        }
    }

    // MARK: Commits that wait

    private mutating func holdBack() throws {
        let author = anybody()
        let held = try circle.ask(author, "update", framing().merging(["apply": false]) { $1 })
        try reencode(held["commit"])
        switch random.below(4) {
        case 0:
            try circle.ask(author, "clear_pending")
        case 1:
            try circle.ask(author, "apply_pending")
            try circle.follow(held["commit"], by: author, to: held["next_epoch_authenticator"])
        case 2:
            try circle.follow(held["commit"], by: nil, to: held["next_epoch_authenticator"])
        default:
            try circle.commit(somebodyElse(than: author), "update", framing())
        }
    }

    // MARK: From outside

    private mutating func changeContext() throws {
        var extensions: [PeerJSON] = []
        signer = nil
        if ops.isSuperset(of: ["external_signer", "external_propose"]), random.below(3) > 0 {
            let partner = partners[random.below(partners.count)]
            let made = try partner.ask("external_signer", ["suite": circle.suite, "identity": newIdentity()])
            extensions.append(made["extension"])
            signer = (partner, made["signer"])
        }
        // A required_capabilities that asks for nothing.
        if random.flip() { extensions.append(["type": 3, "data": "000000"]) }
        if random.flip() {
            try circle.propose(anybody(), "propose_gce", ["extensions": .array(extensions)], type: "gce")
            try circle.commit(anybody())
        } else {
            let byValue: PeerJSON = ["type": "gce", "extensions": .array(extensions)]
            try circle.commit(anybody(), "commit", ["by_value": [byValue]])
        }
    }

    private mutating func proposeFromOutside() throws {
        let info = try circle.ask(anybody(), "group_info")["group_info"]
        try reencode(info)
        if let signer, random.flip(), circle.seats.count > 2 {
            let leaving = circle.seats[anybody()]
            let made = try signer.partner.ask(
                "external_propose",
                [
                    "signer": signer.handle, "group_info": info,
                    "proposal": ["type": "remove", "identity": leaving.identity],
                ])
            try circle.spread(made["proposal"], type: "remove")
            // No one commits their own Remove.
            let others = circle.seats.indices.filter { circle.seats[$0].identity != leaving.identity }
            try circle.commit(others[random.below(others.count)])
        } else if ops.contains("new_member_add"), circle.seats.count < 7 {
            let newcomer = try newcomer()
            let made = try newcomer.partner.ask(
                "new_member_add", ["kp": newcomer.keyPackage["kp"], "group_info": info])
            try circle.spread(made["proposal"], type: "add")
            try circle.commit(anybody(), joining: [newcomer])
        }
    }

    // MARK: Other groups

    /// Some branch off, or all move on to another suite.
    private mutating func goOn() throws {
        let founder = anybody()
        if random.below(3) > 0 {
            if !ops.contains("branch") { return }
            let members = [founder] + circle.seats.indices.filter { $0 != founder && random.flip() }
            if members.count < 2 { return }
            let offshoot = try circle.branch(members, groupID: newIdentity())
            try offshoot.commit(random.below(members.count), "update")
            try offshoot.chat(random.below(members.count))
            try offshoot.expectAgreement()
            for seat in offshoot.seats.indices { try offshoot.ask(seat, "free") }
        } else if ops.contains("reinit_commit"), let suite = suites.randomElement(using: &random) {
            circle = try circle.reinitialize(by: founder, suite: suite, groupID: newIdentity())
            signer = nil
            mail = []
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func flip() -> Bool { next() & 1 == 0 }
}
