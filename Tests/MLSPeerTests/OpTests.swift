import MLS
import MLSOpenSSL
import Testing

@testable import MLSPeer

/// What single ops do with their fields, checked at the other end.
struct OpTests {
    private func message(_ value: PeerJSON) throws -> MLSMessage {
        guard case .string(let text) = value, let bytes = Hex.bytes(text) else { throw PeerError("no message") }
        return try MLSMessage(decoding: bytes)
    }

    private func keyPackage(_ reply: Reply) throws -> KeyPackage {
        guard case .keyPackage(let keyPackage) = try message(reply["key_package"]) else {
            throw PeerError("no key package")
        }
        return keyPackage
    }

    @Test func infoTellsWhoThisIsAndWhatItCan() throws {
        let info = try Partner("ada").ask("info")
        #expect(info["name"] == "waxwing")
        #expect(info["suites"] == [1, 2, 3, 4, 5, 6, 7])
        #expect(info["ops"] == .array(Operation.all.map { .string($0.name) }))
    }

    /// Only suite 1, as with a crypto library built without the rest.
    private struct OneSuite: CryptoProvider {
        func suite(_ suite: CipherSuite) throws(MLSError) -> any SuiteCrypto {
            if suite.rawValue != 1 { throw MLSError(.unsupported, "suite \(suite.rawValue) was left out") }
            return try OpenSSLProvider().suite(suite)
        }
    }

    @Test func aSuiteThatIsNotToBeHadIsRefusedWithAReason() throws {
        var peer = Peer(provider: OneSuite(), entropy: SystemEntropy(), clock: { 1_800_000_000 })
        let partner = Partner("ada") { peer.answer($0) }
        #expect(try partner.ask("info")["suites"] == [1])
        for op in ["create", "key_package", "external_signer"] {
            let reason = try partner.refused(op, ["suite": 2, "identity": "00"])
            #expect(reason == "unsupported: suite 2 was left out")
        }
        try partner.ask("create", ["suite": 1, "identity": "00"])
    }

    @Test(arguments: CipherSuite.allCases)
    func aKeyPackageIsMadeOfTheKeysThatWereGiven(suite: CipherSuite) throws {
        let ada = Partner("ada")
        let number = PeerJSON(suite.rawValue)
        let first = try ada.ask("key_package", ["suite": number, "identity": "ada1"])
        var request: [String: PeerJSON] = ["suite": number, "identity": "ada1"]
        for name in ["init_priv", "encryption_priv", "signature_priv"] { request[name] = first[name] }
        let second = try ada.ask("key_package", request)
        #expect(second["kp"] != first["kp"])
        for name in ["init_priv", "encryption_priv", "signature_priv"] { #expect(second[name] == first[name]) }
        let (one, other) = (try keyPackage(first), try keyPackage(second))
        #expect(one.initKey == other.initKey)
        #expect(one.leafNode.encryptionKey == other.leafNode.encryptionKey)
        #expect(one.leafNode.signatureKey == other.leafNode.signatureKey)
        #expect(one.leafNode.credential == .basic(identity: [0xAD, 0xA1]))

        let crypto = try OpenSSLProvider().suite(suite)
        try one.validate(crypto: crypto, now: 1_800_000_000)
        #expect(second["key_package_ref"] == .hex(other.ref(crypto: crypto).bytes))
    }

    @Test func aKeyPackageHasWhatWasAskedFor() throws {
        let ada = Partner("ada")
        let reply = try ada.ask(
            "key_package",
            [
                "suite": 1, "identity": "", "lifetime": ["not_before": 5, "not_after": .large(.max)],
                "capabilities": ["extensions": [2570, 65000], "proposals": [6682]],
                "leaf_extensions": [["type": 65000, "data": "c0"]],
                "kp_extensions": [["type": 10, "data": ""], ["type": 14906, "data": "ff"]],
            ])
        let made = try keyPackage(reply)
        #expect(made.leafNode.source == .keyPackage(Lifetime(notBefore: 5, notAfter: .max)))
        #expect(made.leafNode.capabilities.extensions == [.init(2570), .init(65000)])
        #expect(made.leafNode.capabilities.proposals == [.init(6682)])
        #expect(made.leafNode.extensions == [Extension(.init(65000), data: [0xC0])])
        #expect(made.extensions == [Extension(.lastResort, data: []), Extension(.init(14906), data: [0xFF])])
        #expect(made.isLastResort)

        // If capabilities are not mentioned, they cover the leaf's own extensions.
        let usual = try keyPackage(
            ada.ask(
                "key_package",
                [
                    "suite": 1, "identity": "",
                    "leaf_extensions": [["type": 65000, "data": ""], ["type": 1, "data": "00"]],
                ]
            ))
        #expect(usual.leafNode.capabilities.extensions == [.lastResort, .init(65000)])
        try usual.validate(crypto: OpenSSLProvider().suite(.x25519_aes128gcm_sha256_ed25519), now: 1_800_000_000)
    }

    @Test func aGroupIsMadeWithTheExtensionsAskedFor() throws {
        let ada = Partner("ada")
        let circle = try Circle(ada, suite: 1, extensions: [["type": 65001, "data": "0102"]])
        guard case .groupInfo(let info) = try message(circle.ask(0, "group_info")["group_info"]) else {
            throw PeerError("no GroupInfo")
        }
        #expect(info.context.extensions == [Extension(.init(65001), data: [1, 2])])
        #expect(info.extensions.map(\.type) == [.ratchetTree, .externalPub])
        // A client that does not support it stays outside; one that joins by itself declares that it does.
        let plain = try circle.newcomer(Partner("ben"))
        let reason = try circle.refused(0, "add", ["key_package": plain.keyPackage["key_package"]])
        #expect(reason.hasPrefix("invalidLeafNode"))
        let able = try circle.newcomer(Partner("cleo"), ["capabilities": ["extensions": [65001]]])
        try circle.commit(0, "add", ["key_package": able.keyPackage["key_package"]], joining: [able])
        try circle.joinExternally(Partner("dan"), by: 1)
        try circle.expectAgreement()

        let named = try ada.ask("create", ["suite": 1, "identity": "00", "group_id": "abcd"])
        #expect(named["group_id"] == "abcd")
        #expect(named["epoch"] == 0)
        #expect(named["leaf_index"] == 0)
        let unnamed = try ada.ask("create", ["suite": 1, "identity": "00"])
        #expect(try unnamed["group_id"] != circle.ask(0, "epoch_authenticator")["group_id"])
    }

    @Test func theTreeTravelsInsideOrOutside() throws {
        let circle = try Circle(Partner("ada"), suite: 1)
        guard
            case .groupInfo(let info) = try message(
                circle.ask(0, "group_info", ["inline_tree": false])["group_info"])
        else { throw PeerError("no GroupInfo") }
        #expect(info.extensions.map(\.type) == [.externalPub])
        let ben = Partner("ben")
        let newcomer = try circle.newcomer(ben)
        let made = try circle.ask(0, "add", ["key_package": newcomer.keyPackage["key_package"], "inline_tree": false])
        #expect(try made["ratchet_tree"] == circle.ask(0, "ratchet_tree")["ratchet_tree"])
        let join: [String: PeerJSON] = ["kp": newcomer.keyPackage["kp"], "welcome": made["welcome"]]
        #expect(try ben.refused("join", join).contains("tree is missing"))
        try ben.ask("join", join.merging(["ratchet_tree": made["ratchet_tree"]]) { $1 })
    }

    @Test func framingIsTheGroupsUnlessTheRequestSaysOtherwise() throws {
        for encrypt in [false, true] {
            let circle = try Circle(Partner("ada"), suite: 1, encrypt: encrypt)
            let update = try circle.ask(0, "update", ["apply": false])
            #expect(try message(update["commit"]).wireFormat == (encrypt ? .privateMessage : .publicMessage))
            try circle.ask(0, "clear_pending")
            let other = try circle.ask(0, "update", ["encrypt": .bool(!encrypt), "aad": "c0ffee", "apply": false])
            #expect(try message(other["commit"]).wireFormat == (encrypt ? .publicMessage : .privateMessage))
            #expect(try message(other["commit"]).authenticatedData == [0xC0, 0xFF, 0xEE])
            try circle.ask(0, "apply_pending")
            let proposal = try circle.ask(0, "propose_update", ["aad": "01"])["proposal"]
            #expect(try message(proposal).wireFormat == (encrypt ? .privateMessage : .publicMessage))
            #expect(try message(proposal).authenticatedData == [1])
        }
    }

    @Test func paddingIsCountedInBytes() throws {
        let circle = try Circle(Partner("ada"), suite: 1, encrypt: true)
        for op in ["protect", "update"] {
            let field = op == "protect" ? "message" : "commit"
            func length(_ padding: PeerJSON) throws -> Int {
                let sent = try circle.ask(0, op, ["plaintext": "00", "padding": padding])
                guard case .privateMessage(let sealed) = try message(sent[field]) else {
                    throw PeerError("no PrivateMessage")
                }
                return sealed.ciphertext.count
            }
            #expect(try length(1000) == length(.null) + 1000)
            #expect(try length(0) == length(.null))
        }
    }

    @Test func aPathIsThereWhereItMustBeOrIsAskedFor() throws {
        let circle = try Circle(Partner("ada"), suite: 1)
        func hasPath(_ op: String, _ fields: [String: PeerJSON]) throws -> Bool {
            let request = fields.merging(["apply": false]) { $1 }
            guard case .publicMessage(let commit) = try message(circle.ask(0, op, request)["commit"]),
                case .commit(let content) = commit.content.body
            else { throw PeerError("no commit") }
            try circle.ask(0, "clear_pending")
            return content.path != nil
        }
        let add: [String: PeerJSON] = [
            "key_package": try circle.newcomer(Partner("ben")).keyPackage["key_package"]
        ]
        #expect(try !hasPath("add", add))
        #expect(try hasPath("add", add.merging(["force_path": true]) { $1 }))
        #expect(try hasPath("commit", [:]))
        #expect(try hasPath("update", [:]))
        try circle.ask(0, "store_psk", ["psk_id": "00", "psk": "00"])
        let psk: [String: PeerJSON] = ["by_value": [["type": "psk", "psk_id": "00"]]]
        #expect(try !hasPath("commit", psk))
        #expect(try hasPath("commit", psk.merging(["force_path": true]) { $1 }))
        #expect(try hasPath("commit", ["by_value": [["type": "gce", "extensions": []]]]))
    }

    @Test func whoWasRemovedIsToldSo() throws {
        let circle = try Circle(Partner("ada"), suite: 1)
        let ben = try circle.newcomer(Partner("ben"))
        try circle.commit(0, "add", ["key_package": ben.keyPackage["key_package"]], joining: [ben])
        let gone = circle.seats[1]
        let removal = try circle.ask(0, "remove", ["identity": ben.identity])
        let heard = try circle.ask(1, "handle", ["message": removal["commit"]])
        #expect(heard["removed"] == true)
        for (op, fields) in [
            ("protect", ["plaintext": "00"]), ("update", [:]), ("propose_update", [:]), ("group_info", [:]),
            ("export", ["label": "", "context": "", "length": 1]), ("resumption_psk", [:]),
        ] as [(String, [String: PeerJSON])] {
            let reason = try gone.partner.refused(op, fields.merging(["group": gone.group]) { $1 })
            #expect(reason.hasPrefix("removed"), "\(op): \(reason)")
        }
        try gone.partner.ask("free", ["group": gone.group])
    }

    @Test func anExternalSenderIsReadyForTheGroup() throws {
        let eve = Partner("eve")
        let signer = try eve.ask("external_signer", ["suite": 1, "identity": "e0e0"])
        guard case .string(let text) = signer["external_sender"], let bytes = Hex.bytes(text) else {
            throw PeerError("no external sender")
        }
        let sender = try ExternalSender(decoding: bytes)
        #expect(sender.credential == .basic(identity: [0xE0, 0xE0]))
        let list = Extension.externalSenders([sender])
        #expect(signer["extension"] == ["type": 5, "data": .hex(list.data)])
        // A group that does not know the sender does not listen.
        let circle = try Circle(Partner("ada"), suite: 1)
        let info = try circle.ask(0, "group_info")["group_info"]
        let reason = try eve.refused(
            "external_propose",
            ["signer": signer["signer"], "group_info": info, "proposal": ["type": "remove", "index": 0]])
        #expect(reason.contains("external senders"))
    }
}

extension MLSMessage {
    fileprivate var authenticatedData: [UInt8]? {
        switch self {
        case .publicMessage(let message): message.content.authenticatedData
        case .privateMessage(let message): message.authenticatedData
        case .welcome, .groupInfo, .keyPackage: nil
        }
    }
}
