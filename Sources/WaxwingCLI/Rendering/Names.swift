import ConclaveProtocol
import Synchronization
import WaxwingCore

/// Names of users from the cache, which works offline, or from an archive.
final class Names: Sendable {
    private let reader: AccountReader?
    private let given: [ID: String]
    private let known = Mutex<(revision: UInt64, users: [ID: UserRecord])>((0, [:]))

    init(_ reader: AccountReader) {
        self.reader = reader
        given = [:]
    }

    init(known: [ID: String]) {
        reader = nil
        given = known
    }

    /// The username, or the beginning of the id where the name is not known.
    func username(_ user: ID) throws -> String {
        let name = (try record(user)?.username ?? given[user] ?? "").onOneLine
        return name.isEmpty ? String(user.description.prefix(8)) : name
    }

    /// Whom a message reached for the first time, as a line; nil for no one.
    func reached(_ users: some Collection<ID>) throws -> String? {
        if users.isEmpty { return nil }
        return "reaches \(try users.map { try username($0) }.sorted().joined(separator: ", ")) for the first time"
    }

    /// The username with a warning where the user's key is not the one that was trusted.
    func shown(_ user: ID) throws -> String {
        let changed = try record(user)?.changedFingerprint.isEmpty == false
        return try username(user) + (changed ? " [key changed]" : "")
    }

    private func record(_ user: ID) throws -> UserRecord? {
        guard let reader else { return nil }
        let revision = try reader.revision()
        let kept = known.withLock { known in
            if known.revision != revision { known = (revision, [:]) }
            return known.users[user]
        }
        if let kept { return kept }
        let record = try reader.user(user)
        if let record { known.withLock { $0.users[user] = record } }
        return record
    }
}
