import Testing

@testable import MLSPeer

/// Bad requests: each is answered with what is wrong, and changes nothing.
struct BadRequestTests {
    @Test(arguments: [
        ("", "not JSON"),
        ("   ", "not JSON"),
        ("hello", "not JSON"),
        ("{", "not JSON"),
        ("{\"op\":\"info\"", "not JSON"),
        ("{\"op\":\"info\"} trailing", "not JSON"),
        ("{\"op\":'info'}", "not JSON"),
        ("{\"op\":\"info\",}", "not JSON"),
        ("{\"op\":\"inf\u{0}o\"}", "not JSON"),
        (String(repeating: "[", count: 100_000), "not JSON"),
        (String(repeating: "{\"a\":", count: 100_000), "not JSON"),
        ("[]", "an array, not an object"),
        ("null", "null, not an object"),
        ("7", "a number, not an object"),
        ("\"info\"", "a text, not an object"),
    ])
    func whatIsNoObjectIsRefused(line: String, reason: String) throws {
        var peer = Partner.peer()
        let reply = try Reply(peer.answer(line))
        #expect(Set(reply.fields.keys) == ["ok", "error"])
        #expect(reply["ok"] == false)
        #expect(reply.error.contains(reason), "\(reply.error)")
    }

    @Test(arguments: [
        ("{}", "`op` is missing"),
        ("{\"op\":null}", "`op` is missing"),
        ("{\"op\":1}", "`op` is a number, not a text"),
        ("{\"op\":\"Info\"}", "no op `Info`"),
        ("{\"op\":\"\"}", "no op ``"),

        ("{\"op\":\"create\"}", "`suite` is missing"),
        ("{\"op\":\"create\",\"suite\":\"1\",\"identity\":\"00\"}", "`suite` is a text, not an integer"),
        ("{\"op\":\"create\",\"suite\":true,\"identity\":\"00\"}", "`suite` is a boolean, not an integer"),
        ("{\"op\":\"create\",\"suite\":1.5,\"identity\":\"00\"}", "`suite` is a number, not an integer"),
        ("{\"op\":\"create\",\"suite\":0,\"identity\":\"00\"}", "no cipher suite 0"),
        ("{\"op\":\"create\",\"suite\":8,\"identity\":\"00\"}", "no cipher suite 8"),
        ("{\"op\":\"create\",\"suite\":65536,\"identity\":\"00\"}", "not between 0 and 65535"),
        ("{\"op\":\"create\",\"suite\":-1,\"identity\":\"00\"}", "not between 0 and 65535"),
        ("{\"op\":\"create\",\"suite\":18446744073709551616,\"identity\":\"00\"}", "not an integer"),
        ("{\"op\":\"create\",\"suite\":1}", "`identity` is missing"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":7}", "`identity` is a number, not hexadecimal"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"abc\"}", "even number of hexadecimal digits"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"0g\"}", "even number of hexadecimal digits"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"é\"}", "even number of hexadecimal digits"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"00\",\"encrypt\":1}", "`encrypt` is a number, not a boolean"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"00\",\"extensions\":{}}", "is an object, not an array"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"00\",\"extensions\":[7]}", "is a number, not an object"),
        ("{\"op\":\"create\",\"suite\":1,\"identity\":\"00\",\"extensions\":[{\"type\":7}]}", "`data` is missing"),
        (
            "{\"op\":\"create\",\"suite\":1,\"identity\":\"00\",\"extensions\":[{\"type\":9,\"data\":\"\"},"
                + "{\"type\":9,\"data\":\"\"}]}",
            "malformed"
        ),

        ("{\"op\":\"key_package\",\"suite\":1,\"identity\":\"00\",\"init_priv\":\"00\"}", "invalidKey"),
        ("{\"op\":\"key_package\",\"suite\":2,\"identity\":\"00\",\"signature_priv\":\"00\"}", "invalidKey"),
        ("{\"op\":\"key_package\",\"suite\":7,\"identity\":\"00\",\"encryption_priv\":\"\"}", "invalidKey"),
        ("{\"op\":\"key_package\",\"suite\":1,\"identity\":\"00\",\"lifetime\":5}", "`lifetime` is a number"),
        ("{\"op\":\"key_package\",\"suite\":1,\"identity\":\"00\",\"lifetime\":{}}", "`not_before` is missing"),
        (
            "{\"op\":\"key_package\",\"suite\":1,\"identity\":\"00\",\"capabilities\":{\"extensions\":[70000]}}",
            "not between 0 and 65535"
        ),

        ("{\"op\":\"join\",\"kp\":99,\"welcome\":\"00\"}", "no key package 99"),
        ("{\"op\":\"join\",\"kp\":\"1\",\"welcome\":\"00\"}", "`kp` is a text, not an integer"),
        ("{\"op\":\"external_join\",\"group_info\":\"00\",\"identity\":\"00\"}", "malformed"),
        ("{\"op\":\"commit\",\"group\":99}", "no group 99"),
        ("{\"op\":\"commit\",\"group\":99999999999999999999}", "not an integer"),
        ("{\"op\":\"handle\",\"group\":99,\"message\":\"00\"}", "no group 99"),
        ("{\"op\":\"decode\",\"message\":\"\"}", "malformed"),
        ("{\"op\":\"decode\",\"message\":\"00010009\"}", "unsupported"),
        ("{\"op\":\"set\"}", "`keep_epochs` is missing"),
        ("{\"op\":\"set\",\"keep_epochs\":-1}", "not between"),
        ("{\"op\":\"free\"}", "`kp` is missing"),
        ("{\"op\":\"free\",\"tombstone\":1}", "no tombstone 1"),
        ("{\"op\":\"free\",\"signer\":1}", "no signer 1"),
        ("{\"op\":\"reinit_join\",\"tombstone\":4}", "no tombstone 4"),
        ("{\"op\":\"external_propose\",\"signer\":4}", "no signer 4"),
    ])
    func aBadRequestIsAnsweredWithWhatIsWrong(line: String, reason: String) throws {
        var peer = Partner.peer()
        let reply = try Reply(peer.answer(line))
        #expect(Set(reply.fields.keys) == ["ok", "error"])
        #expect(reply["ok"] == false)
        #expect(reply.error.contains(reason), "\(reply.error)")
        #expect(try Reply(peer.answer("{\"op\":\"info\"}")).isOK)
    }

    @Test(arguments: [
        "1", "-7", "18446744073709551615", "1.5", "\"a \\\"name\\\" \\\\ with \\u0001\"", "null", "true",
        "[1,{\"a\":[],\"b\":{}}]",
    ])
    func theIdIsRepeated(id: String) throws {
        var peer = Partner.peer()
        for op in ["set", "nothing"] {
            let answer = peer.answer("{\"keep_epochs\":3,\"op\":\"\(op)\",\"id\":\(id)}")
            #expect(answer.hasPrefix("{\"id\":\(id),\"ok\":"), "\(answer)")
        }
    }

    @Test func anErrorIsShortHoweverLongTheRequest() throws {
        var peer = Partner.peer()
        let long = String(repeating: "x", count: 1 << 20)
        for line in ["{\"op\":\"\(long)\"}", "{\"op\":\"decode\",\"message\":\"\(long)\"}", long] {
            #expect(peer.answer(line).utf8.count < 200)
        }
    }

    @Test func whatIsNoUTF8IsRefused() throws {
        var peer = Partner.peer()
        let answer = peer.answer(Array("{\"op\":\"".utf8) + [0xFF, 0xC0] + Array("\"}".utf8))
        #expect(try Reply(String(decoding: answer, as: UTF8.self))["ok"] == false)
    }

    @Test func aLineBeyondTheBoundIsRefused() throws {
        var peer = Partner.peer()
        let answer = peer.answer([UInt8](repeating: UInt8(ascii: " "), count: Peer.lineLengthMax + 1))
        #expect(answer == Peer.answerToLongLine)
        #expect(try Reply(String(decoding: answer, as: UTF8.self)).error.contains("longer than"))
    }

    /// Every wrong request leaves the group exactly as it was.
    @Test(arguments: [false, true])
    func aRefusedRequestLeavesTheGroupAsItWas(encrypt: Bool) throws {
        let ada = Partner("ada")
        let circle = try Circle(ada, suite: 1, encrypt: encrypt)
        let ben = try circle.newcomer(Partner("ben"))
        try circle.commit(0, "add", ["key_package": ben.keyPackage["key_package"]], joining: [ben])
        let keyPackage = ben.keyPackage["key_package"]
        let stranger = try Circle(Partner("cleo"), suite: 1)
        let foreign = try stranger.ask(0, "update")["commit"]
        let own = try circle.ask(0, "propose_update")["proposal"]
        let expired = try circle.newcomer(Partner("dan"), ["lifetime": ["not_before": 1, "not_after": 2]])
        let otherSuite = try ada.ask("key_package", ["suite": 2, "identity": "00"])["key_package"]

        let requests: [(String, [String: PeerJSON], String)] = [
            ("add", [:], "`key_package` is missing"),
            ("add", ["key_package": "00"], "malformed"),
            ("add", ["key_package": foreign], "another message than a key package"),
            ("add", ["key_package": keyPackage], "invalidLeafNode"),
            ("add", ["key_package": expired.keyPackage["key_package"]], "expired"),
            ("add", ["key_package": otherSuite], "invalidKeyPackage"),
            ("add", ["key_packages": keyPackage], "`key_packages` is a text, not an array"),
            ("remove", [:], "`index` and `identity`"),
            ("remove", ["index": 0], "invalidProposal"),
            ("remove", ["index": 7], "invalidProposal"),
            ("remove", ["index": 4_294_967_295], "invalidProposal"),
            ("remove", ["index": 4_294_967_296], "not between"),
            ("remove", ["identity": "99"], "no member has this identity"),
            ("commit", ["by_value": ["type"]], "is a text, not an object"),
            ("commit", ["by_value": [[:]]], "`type` is missing"),
            ("commit", ["by_value": [["type": "update"]]], "`update` cannot be made"),
            ("commit", ["by_value": [["type": "external_init"]]], "cannot be made"),
            ("commit", ["by_value": [["type": "psk", "psk_id": "00"]]], "unknownReference"),
            ("commit", ["by_value": [["type": "resumption_psk", "epoch": 7]]], "unknownReference"),
            ("commit", ["by_value": [["type": "gce", "extensions": [["type": 65000, "data": ""]]]]], "invalid"),
            ("commit", ["by_value": [["type": "gce"], ["type": "gce"]]], "invalidProposal"),
            ("commit", ["apply": "no"], "`apply` is a text, not a boolean"),
            ("commit", ["force_path": 1], "`force_path` is a number"),
            ("commit", ["aad": "1"], "even number"),
            ("commit", ["padding": 4_294_967_295, "encrypt": true], "tooLarge"),
            ("propose_add", ["key_package": "0001"], "malformed"),
            ("propose_remove", [:], "missing"),
            ("propose_psk", [:], "`psk_id` is missing"),
            ("propose_reinit", ["suite": 1], "`group_id` is missing"),
            ("reinit_commit", [:], "no ReInit"),
            ("handle_reinit_commit", ["commit": foreign], "wrongGroup"),
            ("apply_pending", [:], "no commit is pending"),
            ("handle", ["message": foreign], "wrongGroup"),
            ("handle", ["message": own], "ownMessage"),
            ("handle", ["message": keyPackage], "malformed"),
            ("handle", ["message": ""], "malformed"),
            ("protect", [:], "`plaintext` is missing"),
            ("protect", ["plaintext": "00", "padding": -1], "not between"),
            ("protect", ["plaintext": "00", "padding": 4_294_967_295], "tooLarge"),
            ("unprotect", ["message": foreign], "malformed"),
            ("export", ["label": "x", "context": "", "length": 8161], "tooLarge"),
            ("export", ["label": "x", "context": "", "length": -1], "not between"),
            ("export", ["label": 5, "context": "", "length": 1], "`label` is a number, not a text"),
            ("branch", ["kp": 999, "group_id": "00", "key_packages": []], "no key package 999"),
            ("branch_join", ["kp": 999, "welcome": "00"], "no key package 999"),
        ]
        let before = try state(of: circle)
        for (op, fields, reason) in requests {
            let error = try circle.refused(0, op, fields)
            #expect(error.contains(reason), "\(op) \(fields): \(error)")
            #expect(try state(of: circle) == before, "\(op) \(fields)")
        }
        // What was made before is still good, and so are the keys of the next messages.
        try circle.chat(0)
        let heard = try circle.ask(1, "handle", ["message": own])
        #expect(heard["proposal_type"] == "update")
        try circle.commit(1)
        try circle.expectAgreement()
    }

    private func state(of circle: Circle) throws -> [[String: PeerJSON]] {
        try ["epoch_authenticator", "roster", "group_context", "ratchet_tree"].map { op in
            try circle.ask(0, op).fields.filter { $0.key != "id" }
        }
    }
}
