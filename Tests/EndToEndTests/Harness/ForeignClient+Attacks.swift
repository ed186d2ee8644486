import ConclaveProtocol
import Foundation
@testable import MLS
@testable import MLSPeer
import Testing

/// What the owner of such a client may do with bad intentions.
extension ForeignClient {
    // MARK: Ways in

    /// Makes a commit that joins from outside, and moves to where it leads.
    ///
    /// - Parameters:
    ///   - identity: whose id the new leaf has.
    ///   - replaces: whether it takes the place of the leaf with that id.
    func enter(_ group: String, as identity: ID, replacing replaces: Bool, by groupInfo: [UInt8]) throws -> [UInt8] {
        let joined = try run([
            "op": "external_join", "group_info": hex(groupInfo), "identity": hex(identity.bytes),
            "remove_prior": replaces,
        ])
        let id = groups[group]?.id ?? .nobody
        groups[group] = Room(id: id, handle: try number(joined, "group"), cursor: groups[group]?.cursor ?? 0)
        return try bytes(joined, "commit")
    }

    /// Joins where the server's own rules allow it: it has to be on the group's roster.
    func knock(at group: String) async throws -> [UInt8] {
        try await find(group)
        let id = try #require(groups[group]).id
        let info = try await ask(Endpoint.groupInfo(of: id, token: token))
        let commit = try enter(group, as: userID, replacing: true, by: info)
        try await handIn(commit, at: group)
        return commit
    }

    /// Hands in a commit as those outside do.
    func handIn(_ commit: [UInt8], at group: String) async throws {
        let id = try #require(groups[group]).id
        let mlsGroupID = try #require(try MLSMessage.summary(of: commit).groupID)
        try await ask(Endpoint.externalJoin(commit: commit, mlsGroupID: mlsGroupID, group: id, token: token))
    }

    private func find(_ group: String) async throws {
        let listed = try await ask(Endpoint.groups(token: token))
        let id = try #require(listed.first { $0.name == group }?.group, "\(name) is not on the roster")
        if groups[group] == nil { groups[group] = Room(id: id, handle: 0, cursor: 0) }
    }

    /// Gives the server the GroupInfo of its own state.
    func uploadGroupInfo(of group: String) async throws {
        let id = try #require(groups[group]).id
        let info = try groupInfo(of: group)
        try await ask(Endpoint.uploadCommit([], groupInfo: info, group: id, token: token))
    }

    /// Posts a commit as a member does.
    func post(_ forged: Forged, to group: String) async throws {
        let id = try #require(groups[group]).id
        try await ask(
            Endpoint.uploadCommit(forged.commit, groupInfo: forged.groupInfo, group: id, token: token))
    }

    /// Posts anything among the messages.
    func post(message: [UInt8], to group: String) async throws {
        let id = try #require(groups[group]).id
        _ = try await ask(Endpoint.sendMessage(message, group: id, token: token))
    }

    /// Key packages under someone else's id, whose Welcomes it can open.
    func keyPackages(as identity: ID, _ count: Int) throws -> [[UInt8]] {
        try (0..<count).map { _ in
            try bytes(run(["op": "key_package", "suite": 6, "identity": hex(identity.bytes)]), "key_package")
        }
    }

    /// The last key package that the server has of someone, as for an invite.
    func keyPackage(of user: ID) async throws -> [UInt8] { try await ask(Endpoint.keyPackage(of: user, token: token)) }

    // MARK: Commits

    /// A commit of its own making, and the GroupInfo of where it leads. The client moves there.
    private func commit(_ proposals: [[String: Any]], in group: String) throws -> Forged {
        let handle = try #require(groups[group]).handle
        let made = try run(["op": "commit", "group": handle, "by_value": proposals, "force_path": true])
        let welcome = made["welcome"] is String ? try bytes(made, "welcome") : []
        return Forged(commit: try bytes(made, "commit"), welcome: welcome, groupInfo: try groupInfo(of: group))
    }

    struct Forged: Sendable {
        var commit: [UInt8]
        var welcome: [UInt8] = []
        /// Empty if there is none.
        var groupInfo: [UInt8] = []
    }

    func commitToAdd(_ keyPackage: [UInt8], to group: String) throws -> Forged {
        try commit([["type": "add", "key_package": hex(keyPackage)]], in: group)
    }

    func commitToRemove(_ user: ID, from group: String) throws -> Forged {
        try commit([["type": "remove", "identity": hex(user.bytes)]], in: group)
    }

    func reInit(_ group: String) throws -> Forged {
        let handle = try #require(groups[group]).handle
        let made = try run([
            "op": "commit", "group": handle,
            "by_value": [["type": "reinit", "group_id": "0102", "suite": 6, "extensions": [[String: Any]]()]],
        ])
        return Forged(commit: try bytes(made, "commit"))
    }

    /// Locks out everyone who does not know a key that it made up.
    func lockOut(of group: String) throws -> Forged {
        let handle = try #require(groups[group]).handle
        _ = try run(["op": "store_psk", "group": handle, "psk_id": "09", "psk": "010203"])
        return try commit([["type": "psk", "psk_id": "09"]], in: group)
    }

    /// Lets someone who is not a member make proposals from then on.
    func nameAnOutsider(in group: String) throws -> Forged {
        let made = try run(["op": "external_signer", "suite": 6, "identity": "03"])
        let list = try #require(made["extension"] as? [String: Any])
        return try commit([["type": "gce", "extensions": [list]]], in: group)
    }

    /// A GroupInfo of a far epoch, with its own signature.
    func junkGroupInfo(epoch: UInt64, of group: String) throws -> [UInt8] {
        let entry = try engine.groups[try #require(groups[group]).handle]
        guard case .groupInfo(let living) = try MLSMessage(decoding: try groupInfo(of: group)) else { return [] }
        var context = living.context
        context.epoch = epoch
        let info = try GroupInfo(
            context: context, extensions: living.extensions,
            confirmationTag: entry.group.crypto.hash(living.confirmationTag), signer: entry.group.ownLeaf,
            signatureKey: entry.signer, crypto: entry.group.crypto)
        return MLSMessage.groupInfo(info).encoded
    }

    /// The key to which secrets are sealed for one member alone.
    func encryptionKey(of user: ID, in group: String) throws -> [UInt8] {
        let state = try engine.groups[try #require(groups[group]).handle].group
        let index = try #require(state.member(identity: user.bytes)?.index)
        return try #require(state.current.tree[index]?.encryptionKey)
    }

    // MARK: Messages

    func seal(_ text: String, in group: String) throws -> [UInt8] {
        let handle = try #require(groups[group]).handle
        return try bytes(
            try run(["op": "protect", "group": handle, "plaintext": hex(Array(text.utf8))]), "message")
    }

    /// A message under the name and with the message keys of another member, which all members know. Only the signature
    /// is its own.
    func seal(_ text: String, in group: String, as victim: ID, skipping generations: Int) throws -> [UInt8] {
        var entry = try engine.groups[try #require(groups[group]).handle]
        let current = entry.group.current
        let leaf = try #require(entry.group.member(identity: victim.bytes)?.index)
        let content = FramedContent(
            groupID: entry.group.groupID, epoch: entry.group.epoch, sender: .member(leaf), authenticatedData: [],
            body: .application(Array(text.utf8)))
        let crypto = entry.group.crypto
        let signed = try AuthenticatedContent.sign(
            content, as: .privateMessage, context: current.encodedContext, signer: entry.signer, crypto: crypto)
        for _ in 0..<generations {
            let step = try entry.group.current.messageKeys.secretTree.nextKey(
                for: .init(leaf: leaf, kind: .application), crypto: crypto)
            entry.group.consume(step)
        }
        let key = try entry.group.current.messageKeys.secretTree.nextKey(
            for: .init(leaf: leaf, kind: .application), crypto: crypto)
        let message = try PrivateMessage(
            protecting: signed, from: leaf, key: key.messageKey, senderDataSecret: current.messageKeys.senderData,
            paddingBlock: 256, crypto: crypto, entropy: engine.entropy)
        return MLSMessage.privateMessage(message).encoded
    }

    // MARK: What it hears

    /// Tries to open and follow rows that the server shows it.
    func overhear(_ rows: [LogRow], in group: String) throws {
        let room = try #require(groups[group])
        for row in rows { take(row, in: room) }
    }
}
