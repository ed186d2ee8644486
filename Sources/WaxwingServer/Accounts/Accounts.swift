import ConclaveProtocol
import Foundation
import GRDB

/// What the accounts' endpoints store and look up. Hashing happens outside, see `AccountService`.
extension Transaction {
    func register(_ request: WireRegisterRequest, passwordHash: PasswordHash) throws -> ID {
        guard try !exists("SELECT 1 FROM user WHERE username = ?", [request.username]) else {
            throw APIError.conflict("the username is taken")
        }
        let id = try ID.random()
        try execute(
            """
            INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at)
            VALUES (?, ?, ?, ?, '', ?)
            """,
            [id.blob, request.username, request.alias, passwordHash.text, now])
        return id
    }

    func credentials(ofUsername username: String) throws -> (user: ID, hash: PasswordHash)? {
        // SQLite reads a text to its first NUL: what cannot be a name must not find one, nor escape its rate limit.
        guard Validation.isName(username),
            let row = try row("SELECT id, password_hash FROM user WHERE username = ?", [username])
        else { return nil }
        return (try row.id(0), PasswordHash(text: row[1]))
    }

    func passwordHash(of user: ID) throws -> PasswordHash {
        guard let row = try row("SELECT password_hash FROM user WHERE id = ?", [user.blob]) else {
            throw APIError.tokenInvalid
        }
        return PasswordHash(text: row[0])
    }

    /// - Throws: 401/202 when the password was changed since `hash` was read.
    func requireCurrent(_ hash: PasswordHash, of user: ID) throws {
        guard try passwordHash(of: user).text == hash.text else { throw APIError.wrongPassword }
    }

    /// The same password in another form: sessions stay.
    func replace(_ hash: PasswordHash, by other: PasswordHash, of user: ID) throws {
        try execute(
            "UPDATE user SET password_hash = ? WHERE id = ? AND password_hash = ?",
            [other.text, user.blob, hash.text])
    }

    /// - Throws: 403/302.
    func requireEnabled(_ user: ID) throws {
        guard try !exists("SELECT 1 FROM user WHERE id = ? AND disabled_at IS NOT NULL", [user.blob]) else {
            throw APIError.forbidden("this account is disabled; ask the operator of the server")
        }
    }

    func setPassword(_ hash: PasswordHash, of user: ID) throws {
        try execute("UPDATE user SET password_hash = ? WHERE id = ?", [hash.text, user.blob])
        try endAllSessions(of: user)
    }

    /// Removes the user from every group; what they sent stays in the logs.
    func deleteAccount(_ user: ID) throws {
        try cancelInvites("inviter_id = ? OR invitee_id = ?", [user.blob, user.blob])
        for group in try ids("SELECT group_id FROM member WHERE user_id = ? ORDER BY group_id", [user.blob]) {
            try removeFromRoster(user, of: group)
            try announce(.memberRemoved(from: group, user: user), to: try members(of: group))
        }
        try endAllSessions(of: user)
        try execute("DELETE FROM user WHERE id = ?", [user.blob])
    }

    func me(_ call: ServerCall) throws -> Answer {
        try userInfo("id = ?", [call.user.blob])
    }

    func updateProfile(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireUpdateProfileRequest.self)
        try Validation.alias(request.alias)
        try execute("UPDATE user SET alias = ? WHERE id = ?", [request.alias, call.user.blob])
        for group in try ids("SELECT group_id FROM member WHERE user_id = ? ORDER BY group_id", [call.user.blob]) {
            try announce(.groupUpdate(of: group, .settings), to: try members(of: group))
        }
        return Answer()
    }

    func resetAccount(_ call: ServerCall) throws -> Answer {
        try execute("DELETE FROM key_package WHERE user_id = ?", [call.user.blob])
        return Answer()
    }

    func userByName(_ call: ServerCall) throws -> Answer {
        try userInfo("username = ?", [call.path.name])
    }

    func userByID(_ call: ServerCall) throws -> Answer {
        try userInfo("id = ?", [call.path.id().blob])
    }

    /// - Throws: 404/300.
    func requireUser(_ user: ID) throws {
        guard try exists("SELECT 1 FROM user WHERE id = ?", [user.blob]) else { throw APIError.unknownUser }
    }

    private func userInfo(_ condition: String, _ arguments: StatementArguments) throws -> Answer {
        let row = try row("SELECT id, username, alias, fingerprint FROM user WHERE \(condition)", arguments)
        guard let row else { throw APIError.unknownUser }
        return try Answer(
            WireUserInfoResponse.with {
                $0.userID = row[0]
                $0.username = row[1]
                $0.alias = row[2]
                $0.signingKeyFingerprint = row[3]
            })
    }
}
