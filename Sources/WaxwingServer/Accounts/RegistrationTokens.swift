import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// Tokens that let so many people register until some day. Only their hashes are kept.
extension Transaction {
    /// - Throws: 403/302 for a token that is unknown, used up or expired.
    func require(registrationToken: String) throws {
        let isGood = try exists(
            """
            SELECT 1 FROM registration_token
            WHERE token_hash = ? AND uses_left > 0 AND (expires_at IS NULL OR expires_at > ?)
            """,
            [Self.hash(registrationToken), moments.earliest])
        guard isGood else { throw APIError.forbidden("the registration token is wrong, used up or expired") }
    }

    /// Counts one use.
    ///
    /// - Throws: 403/302 if someone else took the last one.
    func use(registrationToken: String) throws {
        try require(registrationToken: registrationToken)
        try execute(
            "UPDATE registration_token SET uses_left = uses_left - 1, uses = uses + 1 WHERE token_hash = ?",
            [Self.hash(registrationToken)])
    }

    /// - Returns: the token, which is stored nowhere.
    func makeRegistrationToken(uses: Int64, expiresAt: Int64?, note: String) throws -> (number: Int64, token: String) {
        let token = hexEncode(try randomBytes(ServerLimits.registrationTokenBytes))
        let row = try row(
            """
            INSERT INTO registration_token (token_hash, note, uses_left, uses, expires_at, created_at)
            VALUES (?, ?, ?, 0, ?, ?) RETURNING number
            """,
            [Self.hash(token), note, uses, expiresAt, now])
        guard let number: Int64 = row?[0] else { throw APIError.internalError }
        return (number, token)
    }

    private static func hash(_ token: String) throws -> Data { Data(SHA256.of(Array(token.utf8))) }
}
