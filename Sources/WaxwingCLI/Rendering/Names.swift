import ConclaveProtocol
import Synchronization
import WaxwingCore

/// The names of users in output, from the cache, which works offline, or from an archive.
final class Names: Sendable {
    private struct Known {
        var revision: UInt64
        var users: [ID: UserRecord]
        var shown: ShownNames
    }

    private let reader: AccountReader?
    private let given: ShownNames
    private let known = Mutex<Known?>(nil)

    init(_ reader: AccountReader) {
        self.reader = reader
        given = ShownNames([:])
    }

    init(known: [ID: String]) {
        reader = nil
        given = ShownNames(known)
    }

    /// The pinned name, with the beginning of the id if it could be mistaken for another's; only the beginning of the
    /// id if no name is known.
    func username(_ user: ID) throws -> String { try everybody()?.shown.name(of: user) ?? given.name(of: user) }

    /// The user that a request made by name is about.
    ///
    /// - Parameter user: nil while it is not known who that is.
    func of(_ username: String, _ user: ID?) throws -> String {
        try user.map { try self.username($0) } ?? username.onOneLine
    }

    /// The form that commands accept for a user, no matter who else is known.
    func argument(_ user: ID) throws -> String {
        try everybody()?.users[user]?.name.isEmpty == false ? try username(user) : user.description
    }

    /// A line that says whom a message reached for the first time; nil for no one.
    func reached(_ users: some Collection<ID>) throws -> String? {
        if users.isEmpty { return nil }
        return "reaches \(try users.map { try username($0) }.sorted().joined(separator: ", ")) for the first time"
    }

    /// The username, with a warning if the user's key is not the trusted one.
    func shown(_ user: ID) throws -> String {
        let changed = try everybody()?.users[user]?.changedFingerprint.isEmpty == false
        return try username(user) + (changed ? " [key changed]" : "")
    }

    private func everybody() throws -> Known? {
        guard let reader else { return nil }
        let revision = try reader.revision()
        if let kept = known.withLock({ $0 }), kept.revision == revision { return kept }
        let users = try reader.users()
        let fresh = Known(revision: revision, users: users, shown: ShownNames(users.mapValues(\.username)))
        known.withLock { $0 = fresh }
        return fresh
    }
}

/// Describes another name that the server gives for someone.
enum NameWords {
    static func claim(_ name: String) -> String { "is called \(name.onOneLine) by the server now" }

    static func claimed(_ shown: String, _ name: String) -> String {
        "\(shown) \(claim(name)); here they stay \(shown) unless you say otherwise (waxwing trust rename \(shown))"
    }
}
