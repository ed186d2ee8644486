import ConclaveProtocol
import Foundation
import GRDB

/// What an operator does to a server's data, whether or not the server runs.
///
/// A running server notices within a second. Everything is on disk when a method returns.
public struct Administration: Sendable {
    /// A user, and what the server has of them.
    public struct User: Hashable, Sendable {
        public let name: String
        public let alias: String
        /// A UUID in lower case.
        public let id: String
        /// Seconds since 1970.
        public let createdAt: Int64
        public let isDisabled: Bool
        /// Bytes of messages, invites, Welcomes and GroupInfos from them.
        public let bytesKept: Int64
        public let groups: Int64
        public let sessions: Int64
        /// Invites they sent, and invites that wait for them.
        public let invitesSent: Int64
        public let invitesReceived: Int64
        public let keyPackages: Int64
    }

    /// A group, as far as the server knows it.
    public struct Group: Hashable, Sendable {
        public let name: String
        /// A UUID in lower case.
        public let id: String
        public let isPublic: Bool
        public let members: Int64
        public let messages: Int64
        /// Bytes of its messages.
        public let bytes: Int64
    }

    /// A registration token, which itself is stored nowhere.
    public struct Token: Hashable, Sendable {
        public let number: Int64
        public let note: String
        public let usesLeft: Int64
        public let uses: Int64
        /// Seconds since 1970; nil if it does not expire.
        public let expiresAt: Int64?
    }

    private let database: ServerDatabase
    private let configuration: ServerConfiguration

    /// - Throws: `StartupError` if there is no database that this version can use.
    public init(_ configuration: ServerConfiguration) throws {
        self.configuration = configuration
        database = try ServerDatabase(administering: configuration.dataDirectory)
    }

    /// Call this in the end.
    public func close() throws { try database.close() }

    // MARK: Users

    /// Sorted by name.
    public func users() throws -> [User] {
        try read { try $0.rows(Self.userQuery + " ORDER BY username").map(Self.user) }
    }

    /// - Throws: `AdministrationError`.
    public func user(_ name: String) throws -> User {
        try read { transaction in
            guard let row = try transaction.row(Self.userQuery + " WHERE username = ?", [name]) else {
                throw AdministrationError("there is no user \(name)")
            }
            return try Self.user(row)
        }
    }

    /// Gives the user a new password and ends their sessions.
    ///
    /// - Returns: the password, 20 letters and digits.
    /// - Throws: `AdministrationError`.
    public func resetPassword(of name: String) throws -> String {
        let password = try Self.newPassword()
        let hash = try PasswordHash(of: password, cost: configuration.passwordCost)
        try change(name) { try $0.setPassword(hash, of: $1) }
        return password
    }

    /// A disabled user cannot log in; their sessions end. What they sent stays, and so do their memberships.
    ///
    /// - Throws: `AdministrationError`.
    public func setDisabled(_ isDisabled: Bool, _ name: String) throws {
        try change(name) { transaction, user in
            try transaction.execute(
                "UPDATE user SET disabled_at = ? WHERE id = ?", [isDisabled ? transaction.now : nil, user.blob])
            if isDisabled { try transaction.endAllSessions(of: user) }
        }
    }

    /// As if they had deleted their account.
    ///
    /// - Throws: `AdministrationError`.
    public func deleteUser(_ name: String) throws {
        try change(name) { try $0.deleteAccount($1) }
    }

    // MARK: Groups

    /// Sorted by name.
    public func groups() throws -> [Group] {
        try read { transaction in
            try transaction.rows(
                """
                SELECT id, name, visibility, (SELECT count(*) FROM member WHERE group_id = chat.id),
                    (SELECT count(*) FROM message WHERE group_id = chat.id),
                    (SELECT coalesce(sum(length(data)), 0) FROM message WHERE group_id = chat.id)
                FROM chat ORDER BY name
                """
            ).map { row in
                Group(
                    name: row[1], id: try row.id(0).description, isPublic: row[2] == 2, members: row[3],
                    messages: row[4], bytes: row[5])
            }
        }
    }

    /// As if an admin of the group had deleted it.
    ///
    /// - Throws: `AdministrationError`.
    public func deleteGroup(_ name: String) throws {
        try write { transaction in
            guard let row = try transaction.row("SELECT id FROM chat WHERE name = ?", [name]) else {
                throw AdministrationError("there is no group \(name)")
            }
            try transaction.delete(group: try row.id(0))
        }
    }

    // MARK: Registration tokens

    /// In the order they were made.
    public func tokens() throws -> [Token] {
        try read { transaction in
            try transaction.rows(
                "SELECT number, note, uses_left, uses, expires_at FROM registration_token ORDER BY number"
            ).map { row in
                Token(number: row[0], note: row[1], usesLeft: row[2], uses: row[3], expiresAt: row[4])
            }
        }
    }

    /// - Parameters:
    ///   - uses: how many people may register with it.
    ///   - seconds: how long it lives; nil for ever.
    /// - Returns: its number, and the token, which cannot be shown again.
    public func makeToken(uses: Int64, expiresIn seconds: Int64?, note: String) throws -> (
        number: Int64, token: String
    ) {
        try write { transaction in
            try transaction.makeRegistrationToken(
                uses: uses, expiresAt: seconds.map { transaction.now + $0 }, note: note)
        }
    }

    /// - Throws: `AdministrationError`.
    public func revokeToken(_ number: Int64) throws {
        try write { transaction in
            let gone = try transaction.row("DELETE FROM registration_token WHERE number = ? RETURNING number", [number])
            guard gone != nil else { throw AdministrationError("there is no registration token \(number)") }
        }
    }

    // MARK: Transactions

    private func change(_ name: String, _ act: (Transaction, ID) throws -> Void) throws {
        try write { transaction in
            guard let row = try transaction.row("SELECT id FROM user WHERE username = ?", [name]) else {
                throw AdministrationError("there is no user \(name)")
            }
            try act(transaction, try row.id(0))
        }
    }

    private func read<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try database.pool.read { try body(transaction($0)) }
    }

    private func write<Value>(_ body: (Transaction) throws -> Value) throws -> Value {
        try database.pool.write { db in
            let transaction = transaction(db)
            let value = try body(transaction)
            try transaction.leaveNews()
            return value
        }
    }

    private func transaction(_ db: Database) -> Transaction {
        let now = configuration.clock()
        return Transaction(
            db, now: now, moments: .init(earliest: now, latest: now), configuration: configuration)
    }

    private static let userQuery = """
        SELECT id, username, alias, created_at, disabled_at IS NOT NULL,
            coalesce((SELECT bytes_kept FROM usage WHERE user_id = user.id), 0),
            (SELECT count(*) FROM member WHERE user_id = user.id),
            (SELECT count(*) FROM session WHERE user_id = user.id),
            (SELECT count(*) FROM invite WHERE inviter_id = user.id),
            (SELECT count(*) FROM invite WHERE invitee_id = user.id),
            (SELECT count(*) FROM key_package WHERE user_id = user.id)
        FROM user
        """

    private static func user(_ row: Row) throws -> User {
        User(
            name: row[1], alias: row[2], id: try row.id(0).description, createdAt: row[3], isDisabled: row[4],
            bytesKept: row[5], groups: row[6], sessions: row[7], invitesSent: row[8], invitesReceived: row[9],
            keyPackages: row[10])
    }

    /// Each of 32 letters and digits is equally likely: 100 bits.
    private static func newPassword() throws -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return String(try randomBytes(20).map { letters[Int($0) % letters.count] })
    }
}

/// Why an operator's command did nothing, in words for them.
public struct AdministrationError: Error, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
