import Testing

@testable import MLSPeer

/// Which fields the answer to each op has, and what kind of value each is.
enum AnswerForm {
    static func check(
        _ reply: Reply, op: String, request: [String: PeerJSON], exactly: Bool, at location: SourceLocation
    ) {
        let names = Set(reply.fields.keys).subtracting(["id", "ok"])
        let expected = expected(op: op, request: request, reply: reply)
        #expect(names.isSuperset(of: expected ?? ["an op that is known"]), "\(op)", sourceLocation: location)
        if exactly { #expect(names == expected, "\(op)", sourceLocation: location) }
        for name in expected ?? [] { checkKind(of: name, reply[name], op: op, at: location) }
    }

    private static let newGroup: Set = [
        "group", "epoch", "epoch_authenticator", "tree_hash", "leaf_index", "group_id",
    ]

    private static func expected(op: String, request: [String: PeerJSON], reply: Reply) -> Set<String>? {
        switch op {
        case "info": ["name", "suites", "ops"]
        case "set", "store_psk", "add_resumption_psk", "clear_pending", "free", "quit": []
        case "key_package":
            ["kp", "key_package", "key_package_ref", "init_priv", "encryption_priv", "signature_priv"]
        case "create", "join", "reinit_join", "branch_join": newGroup
        case "external_join": newGroup.union(["commit"])
        case "reinit_welcome", "branch":
            withTree(newGroup.union(["welcome"]), unless: request["inline_tree"] ?? true)
        case "reinit_commit": ["commit", "tombstone", "suite", "epoch", "epoch_authenticator"]
        case "handle_reinit_commit": ["tombstone", "suite", "epoch", "epoch_authenticator"]
        case "resumption_psk": ["psk"]
        case "new_member_add", "external_propose": ["proposal"]
        case "external_signer": ["signer", "external_sender", "extension"]
        case "propose_add", "propose_update", "propose_remove", "propose_psk", "propose_resumption_psk", "propose_gce",
            "propose_reinit":
            ["proposal", "proposal_ref"]
        case "commit", "add", "remove", "update":
            withTree(
                ["commit", "welcome", "next_epoch", "next_epoch_authenticator"],
                unless: request["inline_tree"] ?? true)
        case "apply_pending": ["epoch", "epoch_authenticator"]
        case "handle":
            reply["kind"] == "proposal"
                ? ["kind", "proposal_type", "proposal_ref"] : ["kind", "epoch", "epoch_authenticator", "removed"]
        case "protect": ["message", "epoch"]
        case "unprotect": ["plaintext", "aad", "epoch"]
        case "group_info": withTree(["group_info"], unless: request["inline_tree"] ?? true)
        case "ratchet_tree", "group_context", "roster": [op]
        case "epoch_authenticator": ["epoch", "epoch_authenticator", "tree_hash", "group_id"]
        case "export": ["secret"]
        case "decode": ["wire_format", "reencoded"]
        default: nil
        }
    }

    private static func withTree(_ names: Set<String>, unless inlineTree: PeerJSON) -> Set<String> {
        inlineTree == true ? names : names.union(["ratchet_tree"])
    }

    private static func checkKind(of name: String, _ value: PeerJSON, op: String, at location: SourceLocation) {
        let fits =
            switch name {
            case "group", "kp", "tombstone", "signer", "suite", "epoch", "next_epoch", "leaf_index": isCount(value)
            case "removed": value == true || value == false
            case "name", "kind", "proposal_type", "wire_format": isText(value)
            case "suites", "ops", "roster": isArray(value)
            case "extension": isExtension(value)
            // A commit that adds no one has no Welcome, and a removed member does not know the new epoch.
            case "welcome": value == .null || isHex(value)
            case "epoch_authenticator": (op == "handle" && value == .null) || isHex(value)
            default: isHex(value)
            }
        #expect(fits, "\(op): \(name) is \(value.text)", sourceLocation: location)
    }

    private static func isCount(_ value: PeerJSON) -> Bool {
        if case .integer(let number) = value { number >= 0 } else { false }
    }

    private static func isText(_ value: PeerJSON) -> Bool {
        if case .string(let text) = value { !text.isEmpty } else { false }
    }

    private static func isArray(_ value: PeerJSON) -> Bool {
        if case .array = value { true } else { false }
    }

    private static func isExtension(_ value: PeerJSON) -> Bool {
        guard case .object(let fields) = value, fields.count == 2 else { return false }
        return isCount(fields["type"] ?? .null) && isHex(fields["data"] ?? .null)
    }

    private static func isHex(_ value: PeerJSON) -> Bool {
        guard case .string(let text) = value else { return false }
        let isLowerCase = text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        return text.utf8.count % 2 == 0 && isLowerCase
    }
}
