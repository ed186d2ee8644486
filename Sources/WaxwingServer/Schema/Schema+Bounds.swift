import GRDB

extension Schema {
    /// Who has how much, and who may do what when. Rows that were written before count for their senders as far as
    /// these are known.
    static let version6 = """
        ALTER TABLE group_info ADD COLUMN user_id BLOB CHECK (length(user_id) = 16);
        ALTER TABLE welcome ADD COLUMN sender_id BLOB CHECK (length(sender_id) = 16);
        CREATE INDEX message_sender ON message (sender_id);

        CREATE TABLE usage (
            user_id BLOB NOT NULL PRIMARY KEY REFERENCES user ON DELETE CASCADE,
            bytes_kept INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO usage SELECT id,
            (SELECT coalesce(sum(length(data)), 0) FROM message WHERE sender_id = user.id)
            + (SELECT coalesce(sum(length(commit_message) + length(welcome) + length(group_info)), 0)
                FROM invite WHERE inviter_id = user.id)
            FROM user;
        DROP INDEX message_sender;

        CREATE TABLE allowance (
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            kind TEXT NOT NULL,
            remaining INTEGER NOT NULL CHECK (remaining >= 0),
            filled_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, kind)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX allowance_age ON allowance (filled_at);

        CREATE TABLE login_address (
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            address BLOB NOT NULL CHECK (length(address) = 32),
            used_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, address)
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE user ADD COLUMN disabled_at INTEGER;
        ALTER TABLE server ADD COLUMN era INTEGER NOT NULL DEFAULT 1;

        CREATE TABLE registration_token (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
            note TEXT NOT NULL,
            uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
            uses INTEGER NOT NULL,
            expires_at INTEGER,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE deleted_group (
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            group_id BLOB NOT NULL CHECK (length(group_id) = 16),
            deleted_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, group_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deleted_group_age ON deleted_group (deleted_at);

        CREATE TABLE news (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            event BLOB,
            addressees BLOB NOT NULL CHECK (length(addressees) % 16 = 0)
        ) STRICT;

        CREATE TRIGGER usage_of_user AFTER INSERT ON user BEGIN
            INSERT INTO usage (user_id, bytes_kept) VALUES (NEW.id, 0);
        END;
        \(counted("message", "sender_id", ["data"]))
        \(counted("invite", "inviter_id", ["commit_message", "welcome", "group_info"]))
        \(counted("welcome", "sender_id", ["data"]))
        \(counted("group_info", "user_id", ["data"]))
        """

    /// Keeps `usage.bytes_kept` right, whichever statement writes to a table.
    private static func counted(_ table: String, _ user: String, _ columns: [String]) -> String {
        func bytes(_ row: String) -> String { columns.map { "length(\(row).\($0))" }.joined(separator: " + ") }
        return """
            CREATE TRIGGER usage_of_\(table)_more AFTER INSERT ON \(table) BEGIN
                UPDATE usage SET bytes_kept = bytes_kept + \(bytes("NEW")) WHERE user_id = NEW.\(user);
            END;
            CREATE TRIGGER usage_of_\(table)_less AFTER DELETE ON \(table) BEGIN
                UPDATE usage SET bytes_kept = bytes_kept - (\(bytes("OLD"))) WHERE user_id = OLD.\(user);
            END;
            """
    }
}
