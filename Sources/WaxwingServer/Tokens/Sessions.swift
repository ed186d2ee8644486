import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// A request's session token as it was received: 32 random bytes, written as 64 hexadecimal digits.
struct SessionToken: Sendable {
    /// What the database keeps instead of the token.
    let hash: Data

    /// - Throws: 401/200 without a header, 401/201 for one of another form.
    init(authorization header: String?) throws {
        guard let header else { throw APIError.headerMissing }
        // As strict as the reference server: this case, one space, lower-case digits.
        let prefix = "Bearer "
        guard header.hasPrefix(prefix), case let digits = header.dropFirst(prefix.count),
            let bytes = hexDecode(digits.utf8), bytes.count == 32, hexEncode(bytes) == digits
        else { throw APIError.headerMalformed }
        hash = Data(SHA256.of(bytes))
    }
}

/// The user who sent an authenticated request.
struct Caller: Sendable {
    let user: ID
    let token: SessionToken
    /// Whether the session's expiry has not been written for a while.
    let slideIsDue: Bool
}

extension Transaction {
    /// - Throws: 401/202 for a token that is unknown or expired.
    func authenticate(_ token: SessionToken) throws -> Caller {
        let row = try row("SELECT user_id, expires_at, slid_at FROM session WHERE token_hash = ?", [token.hash])
        guard let row, let expiresAt: Int64 = row[1], let slidAt: Int64 = row[2], expiresAt > moments.earliest else {
            throw APIError.tokenInvalid
        }
        let pause = min(ServerLimits.slideSeconds, max(1, configuration.tokenTTL / 4))
        // Corrects what was written while the clock ran far ahead.
        let age = moments.latest.clampedMinus(slidAt)
        return Caller(
            user: try row.id(0), token: token, slideIsDue: age >= pause || age < -ServerLimits.clockSetSeconds)
    }

    /// Extends the session. At most about once a minute per token, so that reading stays cheap.
    func slide(_ caller: Caller) throws {
        guard caller.slideIsDue else { return }
        try execute(
            "UPDATE session SET expires_at = ?, slid_at = ? WHERE token_hash = ?",
            [moments.latest + configuration.tokenTTL, moments.latest, caller.token.hash])
    }

    /// A new session's token in hexadecimal; only its hash is kept.
    func openSession(of user: ID) throws -> String {
        let token = try randomBytes(32)
        try execute(
            "INSERT INTO session (token_hash, user_id, expires_at, slid_at) VALUES (?, ?, ?, ?)",
            [Data(SHA256.of(token)), user.blob, moments.latest + configuration.tokenTTL, moments.latest])
        return hexEncode(token)
    }

    func logout(_ call: ServerCall) throws -> Answer {
        try execute("DELETE FROM session WHERE token_hash = ?", [call.caller.token.hash])
        endStreams(of: .session(call.caller.token.hash))
        return Answer(204)
    }

    func expireSessions() throws {
        let over = try rows("DELETE FROM session WHERE expires_at <= ? RETURNING token_hash", [moments.earliest])
        for row in over { endStreams(of: .session(try row.data(0))) }
    }

    func endAllSessions(of user: ID) throws {
        try execute("DELETE FROM session WHERE user_id = ?", [user.blob])
        endStreams(of: .user(user))
    }
}
