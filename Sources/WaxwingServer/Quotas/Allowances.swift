import ConclaveProtocol
import Foundation
import GRDB

/// So much in a span of time, which fills up again steadily.
struct Allowance: Sendable {
    enum Kind: String, Sendable {
        case bytes
        case keyPackages = "key packages"
        case groupInfos = "group infos"
        case guesses
    }

    let kind: Kind
    let amount: Int64
    /// Seconds.
    let window: Int64
}

/// Allowances count in whole numbers, in the database: what is left, times the seconds of the window.
extension Transaction {
    /// Takes some of an allowance. What a transaction takes that then fails, it gives back.
    ///
    /// - Throws: 429 with the seconds to wait if there is not so much left.
    func take(_ count: Int64, of allowance: Allowance, by user: ID) throws {
        guard count > 0 else { return }
        // One request of any size is possible after a rest.
        let cost = min(count, allowance.amount) * allowance.window
        let left = try filled(allowance, of: user)
        guard left >= cost else {
            let seconds = (cost - left + allowance.amount - 1) / allowance.amount
            throw APIError.tooMany(retryAfter: Int(seconds))
        }
        try keep(left - cost, of: allowance, for: user)
    }

    /// Undoes a `take` of an earlier transaction.
    func giveBack(_ count: Int64, of allowance: Allowance, to user: ID) throws {
        let full = allowance.amount * allowance.window
        try keep(min(full, filled(allowance, of: user) + count * allowance.window), of: allowance, for: user)
    }

    /// Who has all of it needs no row.
    func forgetFullAllowances() throws {
        try execute(
            "DELETE FROM allowance WHERE filled_at <= ?", [now.clampedMinus(ServerLimits.allowanceSecondsMax)])
    }

    private func filled(_ allowance: Allowance, of user: ID) throws -> Int64 {
        let full = allowance.amount * allowance.window
        let row = try row(
            "SELECT remaining, filled_at FROM allowance WHERE user_id = ? AND kind = ?",
            [user.blob, allowance.kind.rawValue])
        guard let row, let left: Int64 = row[0], let filledAt: Int64 = row[1] else { return full }
        // A clock that was set back gives nothing; one that was set ahead, at most what there is.
        let seconds = min(allowance.window, max(0, now.clampedMinus(filledAt)))
        return min(full, left + seconds * allowance.amount)
    }

    private func keep(_ left: Int64, of allowance: Allowance, for user: ID) throws {
        try execute(
            """
            INSERT INTO allowance (user_id, kind, remaining, filled_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (user_id, kind) DO UPDATE SET remaining = excluded.remaining, filled_at = excluded.filled_at
            """,
            [user.blob, allowance.kind.rawValue, left, now])
    }
}

extension Quotas {
    var bytes: Allowance? { bytesPerMinute.map { Allowance(kind: .bytes, amount: $0, window: 60) } }
    var keyPackages: Allowance? {
        keyPackagesPerHour.map { Allowance(kind: .keyPackages, amount: $0, window: 3_600) }
    }
    var groupInfos: Allowance? { groupInfosPerHour.map { Allowance(kind: .groupInfos, amount: $0, window: 3_600) } }
}
