import Testing

@testable import MLSPeer

/// The members of one group, each with the peer it lives in. Whatever one sends, all others get.
final class Circle {
    struct Seat {
        let partner: Partner
        let group: PeerJSON
        let identity: PeerJSON
    }

    /// Someone with a key package who is about to join.
    struct Newcomer {
        let partner: Partner
        let identity: PeerJSON
        let keyPackage: Reply
    }

    let suite: PeerJSON
    let encrypt: PeerJSON
    let inlineTree: PeerJSON
    private(set) var seats: [Seat] = []

    /// A group of one.
    init(
        _ founder: Partner, identity: PeerJSON? = nil, suite: UInt16, encrypt: Bool = false, inlineTree: Bool = true,
        extensions: PeerJSON = []
    ) throws {
        self.suite = PeerJSON(suite)
        self.encrypt = .bool(encrypt)
        self.inlineTree = .bool(inlineTree)
        let identity = identity ?? founder.identity
        let created = try founder.ask(
            "create",
            ["suite": self.suite, "identity": identity, "encrypt": self.encrypt, "extensions": extensions])
        seats = [Seat(partner: founder, group: created["group"], identity: identity)]
    }

    /// A circle that continues elsewhere.
    init(like other: Circle, suite: PeerJSON? = nil, seats: [Seat]) {
        self.suite = suite ?? other.suite
        encrypt = other.encrypt
        inlineTree = other.inlineTree
        self.seats = seats
    }

    /// Asks a member something about the group.
    @discardableResult
    func ask(
        _ seat: Int, _ op: String, _ fields: [String: PeerJSON] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> Reply {
        try seats[seat].partner.ask(op, fields.merging(["group": seats[seat].group]) { $1 }, at: location)
    }

    /// Asks a member something that it refuses.
    @discardableResult
    func refused(
        _ seat: Int, _ op: String, _ fields: [String: PeerJSON] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> String {
        try seats[seat].partner.refused(op, fields.merging(["group": seats[seat].group]) { $1 }, at: location)
    }

    func newcomer(
        _ partner: Partner, identity: PeerJSON? = nil, _ fields: [String: PeerJSON] = [:]
    ) throws -> Newcomer {
        let identity = identity ?? partner.identity
        let keyPackage = try partner.ask(
            "key_package", fields.merging(["suite": suite, "identity": identity]) { $1 })
        return Newcomer(partner: partner, identity: identity, keyPackage: keyPackage)
    }

    /// A member proposes, and all others remember it.
    @discardableResult
    func propose(
        _ seat: Int, _ op: String, _ fields: [String: PeerJSON] = [:], type: PeerJSON,
        at location: SourceLocation = #_sourceLocation
    ) throws -> Reply {
        let made = try ask(seat, op, fields, at: location)
        try spread(made["proposal"], type: type, reference: made["proposal_ref"], from: seat, at: location)
        return made
    }

    /// Hands a proposal to all but its author.
    func spread(
        _ proposal: PeerJSON, type: PeerJSON, reference: PeerJSON? = nil, from author: Int? = nil,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        for reader in seats.indices where reader != author {
            let heard = try ask(reader, "handle", ["message": proposal], at: location)
            #expect(heard["kind"] == "proposal", sourceLocation: location)
            #expect(heard["proposal_type"] == type, sourceLocation: location)
            if let reference { #expect(heard["proposal_ref"] == reference, sourceLocation: location) }
        }
    }

    /// A member commits, all others follow, and newcomers join.
    @discardableResult
    func commit(
        _ seat: Int, _ op: String = "commit", _ fields: [String: PeerJSON] = [:], joining newcomers: [Newcomer] = [],
        psks: PeerJSON = [], at location: SourceLocation = #_sourceLocation
    ) throws -> Reply {
        let made = try ask(seat, op, fields.merging(["inline_tree": inlineTree]) { first, _ in first }, at: location)
        let after = try ask(seat, "epoch_authenticator", at: location)
        #expect(after["epoch"] == made["next_epoch"], sourceLocation: location)
        #expect(after["epoch_authenticator"] == made["next_epoch_authenticator"], sourceLocation: location)
        try follow(made["commit"], by: seat, to: made["next_epoch_authenticator"], at: location)
        #expect((made["welcome"] == .null) == newcomers.isEmpty, sourceLocation: location)
        for newcomer in newcomers { try join(newcomer, made, psks: psks, at: location) }
        return made
    }

    /// Hands a commit to all but its author; those it removes leave the circle.
    func follow(
        _ commit: PeerJSON, by author: Int?, to authenticator: PeerJSON,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        var staying: [Seat] = []
        for reader in seats.indices {
            if reader == author {
                staying.append(seats[reader])
                continue
            }
            let heard = try ask(reader, "handle", ["message": commit], at: location)
            #expect(heard["kind"] == "commit", sourceLocation: location)
            if heard["removed"] == true {
                #expect(heard["epoch_authenticator"] == .null, sourceLocation: location)
            } else {
                #expect(heard["epoch_authenticator"] == authenticator, sourceLocation: location)
                staying.append(seats[reader])
            }
        }
        seats = staying
    }

    private func join(_ newcomer: Newcomer, _ made: Reply, psks: PeerJSON, at location: SourceLocation) throws {
        var fields: [String: PeerJSON] = [
            "kp": newcomer.keyPackage["kp"], "welcome": made["welcome"], "encrypt": encrypt, "psks": psks,
        ]
        if made["ratchet_tree"] != .null { fields["ratchet_tree"] = made["ratchet_tree"] }
        let joined = try newcomer.partner.ask("join", fields, at: location)
        #expect(joined["epoch"] == made["next_epoch"], sourceLocation: location)
        #expect(joined["epoch_authenticator"] == made["next_epoch_authenticator"], sourceLocation: location)
        seats.append(Seat(partner: newcomer.partner, group: joined["group"], identity: newcomer.identity))
    }

    /// Someone joins by a commit of their own, which everyone follows.
    @discardableResult
    func joinExternally(
        _ partner: Partner, identity: PeerJSON? = nil, by host: Int, _ fields: [String: PeerJSON] = [:],
        at location: SourceLocation = #_sourceLocation
    ) throws -> Reply {
        let info = try ask(host, "group_info", ["inline_tree": inlineTree], at: location)
        let identity = identity ?? partner.identity
        var request = fields.merging([
            "group_info": info["group_info"], "identity": identity, "encrypt": encrypt,
        ]) { $1 }
        if info["ratchet_tree"] != .null { request["ratchet_tree"] = info["ratchet_tree"] }
        let joined = try partner.ask("external_join", request, at: location)
        try follow(joined["commit"], by: nil, to: joined["epoch_authenticator"], at: location)
        seats.append(Seat(partner: partner, group: joined["group"], identity: identity))
        return joined
    }

    /// A member sends, and all others read.
    func chat(_ seat: Int, _ fields: [String: PeerJSON] = [:], at location: SourceLocation = #_sourceLocation) throws {
        let request = fields.merging(["plaintext": "68656c6c6f"]) { first, _ in first }
        let sent = try ask(seat, "protect", request, at: location)
        for reader in seats.indices where reader != seat {
            let read = try ask(reader, "unprotect", ["message": sent["message"]], at: location)
            #expect(read["plaintext"] == request["plaintext"], sourceLocation: location)
            #expect(read["aad"] == request["aad"] ?? "", sourceLocation: location)
            #expect(read["epoch"] == sent["epoch"], sourceLocation: location)
        }
    }

    /// All see one group, and exactly its members are in it.
    ///
    /// - Parameter fully: whether they are also asked for what depends on the epoch authenticator and the tree hash.
    func expectAgreement(fully: Bool = true, at location: SourceLocation = #_sourceLocation) throws {
        let export: [String: PeerJSON] = ["label": "a label", "context": "c0ffee", "length": 42]
        let questions: [(String, [String: PeerJSON])] = [
            ("epoch_authenticator", [:]), ("export", export), ("group_context", [:]), ("ratchet_tree", [:]),
        ]
        for (op, fields) in questions.prefix(fully ? 4 : 2) {
            let answers = try seats.indices.map { seat in
                try ask(seat, op, fields, at: location).fields.filter { $0.key != "id" }
            }
            for (seat, answer) in zip(seats, answers) {
                #expect(answer == answers.first, "\(op) of \(seat.partner.name)", sourceLocation: location)
            }
        }
        let roster = try members()
        #expect(Set(roster.map(\.identity)) == Set(seats.map(\.identity)), sourceLocation: location)
        for seat in seats.indices.dropFirst() {
            #expect(try members(seenBy: seat) == roster, sourceLocation: location)
        }
    }

    struct Member: Equatable {
        let index: PeerJSON
        let identity: PeerJSON
    }

    /// The roster as a member sees it.
    func members(seenBy seat: Int = 0) throws -> [Member] {
        guard case .array(let roster) = try ask(seat, "roster")["roster"] else { return [] }
        return roster.compactMap { entry in
            guard case .object(let fields) = entry else { return nil }
            return Member(index: fields["index"] ?? .null, identity: fields["identity"] ?? .null)
        }
    }
}
