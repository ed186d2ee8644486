import MLS

/// Each message format, read and written again (RFC 9420 §6, §12).
public enum MessagesVectors: VectorKind {
    public static let name = "messages"

    public struct Case: Decodable, Sendable {
        let mls_welcome, mls_group_info, mls_key_package, ratchet_tree, group_secrets, add_proposal,
            update_proposal, remove_proposal, pre_shared_key_proposal, re_init_proposal,
            external_init_proposal, group_context_extensions_proposal, commit, public_message_application,
            public_message_proposal, public_message_commit, private_message: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        for (bytes, format) in [
            (vector.mls_welcome, WireFormat.welcome), (vector.mls_group_info, .groupInfo),
            (vector.mls_key_package, .keyPackage), (vector.public_message_application, .publicMessage),
            (vector.public_message_proposal, .publicMessage), (vector.public_message_commit, .publicMessage),
            (vector.private_message, .privateMessage),
        ] {
            let message = try MLSMessage(decoding: bytes.bytes)
            try expectEqual(message.wireFormat, format, "the wire format")
            try expectEqual(Hex(message.encoded), bytes, "a \(format) encoded again")
        }
        // These come without the type that precedes them in a message.
        for (bytes, type) in [
            (vector.add_proposal, ProposalType.add), (vector.update_proposal, .update),
            (vector.remove_proposal, .remove), (vector.pre_shared_key_proposal, .preSharedKey),
            (vector.re_init_proposal, .reInit), (vector.external_init_proposal, .externalInit),
            (vector.group_context_extensions_proposal, .groupContextExtensions),
        ] {
            let typed = type.encoded + bytes.bytes
            try expectEqual(
                Hex(try Proposal(decoding: typed).encoded), Hex(typed), "proposal \(type.rawValue) encoded again")
        }
        try expectEqual(
            Hex(try RatchetTree(decoding: vector.ratchet_tree.bytes).encoded), vector.ratchet_tree,
            "the tree encoded again")
        try expectEqual(
            Hex(try GroupSecrets(decoding: vector.group_secrets.bytes).encoded), vector.group_secrets,
            "the group secrets encoded again")
        try expectEqual(
            Hex(try Commit(decoding: vector.commit.bytes).encoded), vector.commit, "the commit encoded again")
    }
}
