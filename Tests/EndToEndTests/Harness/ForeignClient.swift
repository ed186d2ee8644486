import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import MLSPeer
import Synchronization
import Testing

/// Another kind of client, with the habits of the reference client: `mls-peer` is its engine, and it talks to the
/// server by itself.
///
/// It applies a commit before the server has it, and stays where that led it; asks for a GroupInfo only to join from
/// outside; keeps a place in the log of its own; and skips every row that it cannot read, for good.
actor ForeignClient {
    let name: String
    let userID: ID
    private let port: UInt16
    let token: SessionToken
    var engine: Peer
    /// The account's signature key, with which all its key packages are made. Joining from outside makes another one.
    private var signatureKey = ""
    private var keyPackages: [Int] = []
    /// The groups by name.
    var groups: [String: Room] = [:]
    /// What the server has refused, in its own words.
    private(set) var refusals: [String] = []
    /// What it has read, in the order of the log.
    var texts: [String] = []

    struct Room {
        let id: ID
        /// The engine's number for it.
        var handle: Int
        var cursor: UInt64
    }

    /// Registers a user and uploads key packages.
    init(
        _ name: String, at port: UInt16, seed: UInt64, provider: any CryptoProvider = OpenSSLProvider()
    ) async throws {
        self.name = name
        self.port = port
        engine = Peer(
            provider: provider, entropy: ForeignEntropy(seed: seed),
            clock: { UInt64(Date().timeIntervalSince1970) })
        _ = try await Self.ask(Endpoint.register(username: name, password: Person.password), port)
        let session = try await Self.ask(Endpoint.login(username: name, password: Person.password), port)
        (token, userID) = (session.token, session.userID)
        try await uploadKeyPackages((0..<6).map { $0 == 5 })
    }

    /// How its leaf names it, in hexadecimal.
    nonisolated var identity: String { Self.hex(userID.bytes) }

    // MARK: Coming in

    /// Makes a group, with a first commit in its log.
    func create(_ group: String) async throws {
        let id = try await ask(Endpoint.createGroup(name: group, token: token))
        let made = try run(["op": "create", "suite": 6, "identity": identity])
        let mlsGroupID = try bytes(made, "group_id")
        groups[group] = Room(id: id, handle: try number(made, "group"), cursor: 0)
        let commit = try applied(["op": "update"], in: group)
        _ = try await ask(
            Endpoint.uploadCommit(
                commit, groupInfo: try groupInfo(of: group), mlsGroupID: mlsGroupID, group: id, token: token))
    }

    /// Accepts an invite and joins by its Welcome; if there is none, as the invite was for an epoch that is over, joins
    /// from outside.
    func accept(_ group: String) async throws {
        let invites = try await ask(Endpoint.invites(token: token))
        let invite = try #require(invites.first { $0.groupName == group })
        _ = try await ask(Endpoint.acceptInvite(invite.invite, token: token))
        let welcomes = try await ask(Endpoint.welcomes(token: token))
        guard let welcome = welcomes.last(where: { $0.group == invite.group }) else {
            groups[group] = Room(id: invite.group, handle: 0, cursor: 0)
            return try await reset(group)
        }
        try join(group, invite.group, by: welcome.message)
        _ = try await ask(Endpoint.acceptWelcome(welcome.welcome, token: token))
        try await uploadKeyPackages([false])
    }

    /// Joins by a Welcome for one of its key packages.
    func join(_ group: String, _ id: ID, by welcome: [UInt8]) throws {
        for keyPackage in keyPackages {
            // Perhaps made for another one.
            let joined = try? run(["op": "join", "kp": keyPackage, "welcome": hex(welcome)])
            guard let joined else { continue }
            groups[group] = Room(id: id, handle: try number(joined, "group"), cursor: 0)
            return
        }
        Issue.record("\(name): no key package fits the Welcome")
    }

    /// Joins a public group from outside, asked by no one.
    func joinPublic(_ group: String) async throws {
        let found = try await ask(Endpoint.publicGroups(matching: group, token: token))
        let id = try #require(found.first { $0.name == group }?.group)
        _ = try await ask(Endpoint.join(id, token: token))
        groups[group] = Room(id: id, handle: 0, cursor: 0)
        try await reset(group)
    }

    /// Joins from outside, by whatever GroupInfo the server has; from then on only that state counts for it, whatever
    /// the server says.
    func reset(_ group: String) async throws {
        let room = try #require(groups[group])
        let info = try await ask(Endpoint.groupInfo(of: room.id, token: token))
        let joined = try run([
            "op": "external_join", "group_info": hex(info), "identity": identity, "remove_prior": true,
        ])
        groups[group]?.handle = try number(joined, "group")
        let join = Endpoint.externalJoin(
            commit: try bytes(joined, "commit"), mlsGroupID: try bytes(joined, "group_id"), group: room.id, token: token
        )
        await attempt(join)
    }

    // MARK: What it sends

    /// Renews its keys: first here, then in the log.
    func rotate(_ group: String) async throws {
        let room = try #require(groups[group])
        let commit = try applied(["op": "update"], in: group)
        await attempt(
            Endpoint.uploadCommit(commit, groupInfo: try groupInfo(of: group), group: room.id, token: token))
    }

    /// Invites someone, and has them in its tree from then on.
    func invite(_ username: String, to group: String) async throws {
        let room = try #require(groups[group])
        let user = try await ask(Endpoint.user(named: username, token: token)).user
        let given = try await ask(Endpoint.invite([user], group: room.id, token: token))
        let keyPackage = try #require(given.first?.keyPackage)
        let made = try run(["op": "add", "group": room.handle, "key_package": hex(keyPackage), "force_path": true])
        await attempt(
            Endpoint.escrowInvite(
                user, commit: try bytes(made, "commit"), welcome: try bytes(made, "welcome"),
                groupInfo: try groupInfo(of: group), group: room.id, token: token))
    }

    func send(_ text: String, to group: String) async throws {
        let room = try #require(groups[group])
        let sealed = try run(["op": "protect", "group": room.handle, "plaintext": hex(Array(text.utf8))])
        await attempt(Endpoint.sendMessage(try bytes(sealed, "message"), group: room.id, token: token))
    }

    /// Proposes something, each time in other bytes, and returns the message.
    func propose(_ fields: [String: Any], number: Int, in group: String) async throws -> [UInt8] {
        let room = try #require(groups[group])
        let made = try run(
            fields.merging(["group": room.handle, "aad": hex([UInt8(number >> 8), UInt8(number & 0xFF)])]) { $1 })
        let message = try bytes(made, "proposal")
        _ = try await ask(Endpoint.sendMessage(message, group: room.id, token: token))
        return message
    }

    /// Looks at one message of someone else, and at no other.
    func look(at message: [UInt8], in group: String) throws {
        _ = try run(["op": "handle", "group": try #require(groups[group]).handle, "message": hex(message)])
    }

    // MARK: What it reads

    /// Reads the log from where it was to its end.
    func read(_ group: String) async throws {
        while true {
            let room = try #require(groups[group])
            let rows = try await ask(Endpoint.messages(group: room.id, after: room.cursor, limit: 500, token: token))
            guard let last = rows.last else { return }
            for row in rows { take(row, in: room) }
            groups[group]?.cursor = last.sequence
        }
    }

    func take(_ row: LogRow, in room: Room) {
        let op = ServerLog.isApplicationMessage(row) ? "unprotect" : "handle"
        let read = try? run(["op": op, "group": room.handle, "message": hex(row.message)])
        guard let read, op == "unprotect", let text = try? bytes(read, "plaintext") else { return }
        texts.append(String(decoding: text, as: UTF8.self))
    }

    /// The epoch it is in, with what is the same for everyone in that state.
    func epochAuthenticator(_ group: String) throws -> String {
        let answer = try run(["op": "epoch_authenticator", "group": try #require(groups[group]).handle])
        return try #require(answer["epoch_authenticator"] as? String)
    }

    // MARK: The engine

    func applied(_ fields: [String: Any], in group: String) throws -> [UInt8] {
        let handle = try #require(groups[group]).handle
        return try bytes(try run(fields.merging(["group": handle, "apply": true]) { $1 }), "commit")
    }

    func groupInfo(of group: String) throws -> [UInt8] {
        try bytes(try run(["op": "group_info", "group": try #require(groups[group]).handle]), "group_info")
    }

    private func uploadKeyPackages(_ areLastResorts: [Bool]) async throws {
        var uploads: [KeyPackageUpload] = []
        var fingerprint = ""
        for isLastResort in areLastResorts {
            var fields: [String: Any] = ["op": "key_package", "suite": 6, "identity": identity]
            if !signatureKey.isEmpty { fields["signature_priv"] = signatureKey }
            if isLastResort { fields["kp_extensions"] = [["type": 10, "data": ""]] }
            let made = try run(fields)
            signatureKey = try #require(made["signature_priv"] as? String)
            keyPackages.append(try number(made, "kp"))
            let data = try bytes(made, "key_package")
            uploads.append(KeyPackageUpload(data: data, isLastResort: isLastResort))
            guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: data) else { continue }
            let hash = try OpenSSLProvider().suite(.x25519_chacha20poly1305_sha256_ed25519).hash(
                keyPackage.leafNode.signatureKey)
            fingerprint = hex(hash)
        }
        _ = try await ask(Endpoint.uploadKeyPackages(uploads, fingerprint: fingerprint, token: token))
    }

    func run(_ fields: [String: Any]) throws -> [String: Any] {
        let line = try JSONSerialization.data(withJSONObject: fields)
        let answer = try JSONSerialization.jsonObject(with: Data(engine.answer(Array(line)))) as? [String: Any] ?? [:]
        guard answer["ok"] as? Bool == true else {
            throw ChildProcess.Failure(description: "\(name): \(fields["op"] ?? ""): \(answer["error"] ?? "")")
        }
        return answer
    }

    func bytes(_ answer: [String: Any], _ field: String) throws -> [UInt8] {
        let digits = Array(try #require(answer[field] as? String).utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    func number(_ answer: [String: Any], _ field: String) throws -> Int { try #require(answer[field] as? Int) }

    func hex(_ bytes: [UInt8]) -> String { Self.hex(bytes) }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

    // MARK: The server

    func ask<Value>(_ call: Call<Value>) async throws -> Value { try await Self.ask(call, port) }

    private static func ask<Value>(_ call: Call<Value>, _ port: UInt16) async throws -> Value {
        try await onThread { try ServerLog.ask(call, port) }
    }

    /// Sends what the server may well refuse; nothing follows from that.
    private func attempt<Value>(_ call: Call<Value>) async {
        do {
            _ = try await ask(call)
        } catch {
            refusals.append("\(error)")
        }
    }
}

/// The same bytes from one seed.
private final class ForeignEntropy: EntropySource {
    private let dice: Mutex<Dice>

    init(seed: UInt64) { dice = Mutex(Dice(seed: seed)) }

    func bytes(_ count: Int) -> [UInt8] {
        dice.withLock { dice in (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &dice) } }
    }
}
