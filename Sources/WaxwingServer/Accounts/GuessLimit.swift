import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// A slow limit on wrong passwords for one account, wherever they come from.
///
/// It does not hold for an address where the account's password was right before: no stranger's guesses lock its owner
/// out there.
struct GuessLimit: Sendable {
    /// One guess that was counted.
    struct Guess: Sendable {
        let user: ID
        let allowance: Allowance

        /// It was none.
        func wasRight(in transaction: Transaction) throws {
            try transaction.giveBack(1, of: allowance, to: user)
        }
    }

    private let store: ServerStore
    private let allowance: Allowance
    /// For names that nobody has, so that they look like the others. A minute here is an hour.
    private let strangers: RateLimiter

    init(store: ServerStore, perHour: Int64) {
        self.store = store
        allowance = Allowance(kind: .guesses, amount: perHour, window: 3_600)
        strangers = RateLimiter(perMinute: Int(clamping: perHour))
    }

    /// Counts a guess before it is known to be wrong.
    ///
    /// - Returns: nil if it does not count here.
    /// - Throws: 429.
    func take(for user: ID?, named name: String, from address: String) async throws -> Guess? {
        guard let user else {
            do {
                try strangers.take(name, now: store.configuration.uptime() / 60)
            } catch let error as APIError {
                throw APIError.tooMany(retryAfter: (error.retryAfter ?? 1) * 60)
            }
            return nil
        }
        if try await store.read({ try $0.wasUsed(user, from: address) }) { return nil }
        try await store.write { try $0.take(1, of: allowance, by: user) }
        return Guess(user: user, allowance: allowance)
    }
}

/// Where an account's password was right. Only hashes are kept, and only of the latest addresses.
extension Transaction {
    func wasUsed(_ user: ID, from address: String) throws -> Bool {
        try exists(
            "SELECT 1 FROM login_address WHERE user_id = ? AND address = ?",
            [user.blob, Self.hash(address, of: user)])
    }

    func remember(address: String, of user: ID) throws {
        try execute(
            """
            INSERT INTO login_address (user_id, address, used_at) VALUES (?, ?, ?)
            ON CONFLICT (user_id, address) DO UPDATE SET used_at = excluded.used_at
            """,
            [user.blob, Self.hash(address, of: user), now])
        try execute(
            """
            DELETE FROM login_address WHERE user_id = ?1 AND address NOT IN (
                SELECT address FROM login_address WHERE user_id = ?1
                ORDER BY used_at DESC, address LIMIT \(ServerLimits.loginAddresses))
            """,
            [user.blob])
    }

    private static func hash(_ address: String, of user: ID) throws -> Data {
        Data(SHA256.of(user.bytes + Array(address.utf8)))
    }
}
