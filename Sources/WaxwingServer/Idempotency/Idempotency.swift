import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// What identifies a repeated request: the client's key, and what it was sent with.
struct IdempotencyKey: Sendable {
    let key: Data
    let requestHash: Data

    /// - Throws: 400/100 for a key of the wrong length.
    init(_ header: String, path: String, body: Data) throws {
        key = Data(header.utf8)
        guard (1...ServerLimits.idempotencyKeyBytes).contains(key.count) else {
            throw APIError.badRequest("an Idempotency-Key has 1 to \(ServerLimits.idempotencyKeyBytes) bytes")
        }
        requestHash = Data(SHA256.of(Array(path.utf8) + [0] + Array(body)))
    }
}

/// A repeated request gets the first answer and does nothing, because the answer is stored together with its effect.
///
/// A refusal had no effect and is not stored: a repeat is judged again. A long answer, which only /invite gives, is not
/// stored either: a repeat takes other key packages. The requests that end the caller's sessions (logout,
/// change-password, delete-account) need no key, since a repeat is no longer authenticated.
extension Transaction {
    func once(_ key: IdempotencyKey?, by user: ID, _ act: () throws -> Answer) throws -> Answer {
        guard let key else { return try act() }
        let stored = try row(
            "SELECT request_hash, status, body FROM answer WHERE user_id = ? AND idempotency_key = ?",
            [user.blob, key.key])
        if let stored {
            guard try stored.data(0) == key.requestHash else {
                throw APIError.conflict("the Idempotency-Key was used with another request")
            }
            return Answer(stored[1], body: stored[2])
        }
        let answer = try act()
        if answer.body.count <= ServerLimits.idempotencyAnswerBytes { try store(answer, for: key, of: user) }
        return answer
    }

    func expireAnswers() throws {
        try execute(
            "DELETE FROM answer WHERE created_at <= ?", [moments.earliest.clampedMinus(ServerLimits.idempotencySeconds)]
        )
    }

    /// The user's oldest answers make room.
    private func store(_ answer: Answer, for key: IdempotencyKey, of user: ID) throws {
        let last = try row("SELECT max(ordinal) FROM answer WHERE user_id = ?", [user.blob])
        let ordinal = ((last?[0] as Int64?) ?? 0) + 1
        try execute(
            """
            INSERT INTO answer (user_id, idempotency_key, ordinal, request_hash, status, body, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [user.blob, key.key, ordinal, key.requestHash, answer.status, answer.body, now])
        try execute(
            "DELETE FROM answer WHERE user_id = ? AND ordinal <= ?",
            [user.blob, ordinal - ServerLimits.idempotencyKeysPerUser])
    }
}
