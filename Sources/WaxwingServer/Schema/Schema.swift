import Foundation
import GRDB
import MLSReading

/// The tables of `waxwing.sqlite`. Invariants are constraints here, so no handler can break them.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(sql: version1)
        }
        migrator.registerMigration("2") { db in
            try db.execute(sql: version2)
        }
        migrator.registerMigration("3") { db in
            try db.execute(sql: version3)
        }
        migrator.registerMigration("4") { db in
            try db.execute(sql: version4)
        }
        migrator.registerMigration("5") { db in
            try db.execute(sql: version5)
            try keepGroupInfosByTag(db)
        }
        migrator.registerMigration("6") { db in
            try db.execute(sql: version6)
        }
        return migrator
    }

    /// Epochs are UInt64 stored by bit pattern. `chat.last_sequence` outlives the rows it counted: numbers never
    /// restart.
    private static let version1 = """
        CREATE TABLE server (
            only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
            boots INTEGER NOT NULL CHECK (boots >= 0)
        ) STRICT;
        INSERT INTO server VALUES (1, 0);

        CREATE TABLE user (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            username TEXT NOT NULL UNIQUE CHECK (length(CAST(username AS BLOB)) BETWEEN 1 AND 64),
            alias TEXT NOT NULL CHECK (length(CAST(alias AS BLOB)) <= 64),
            password_hash TEXT NOT NULL,
            fingerprint TEXT NOT NULL CHECK (length(CAST(fingerprint AS BLOB)) <= 128),
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE session (
            token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            expires_at INTEGER NOT NULL,
            slid_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX session_user ON session (user_id);
        CREATE INDEX session_expiry ON session (expires_at);

        CREATE TABLE key_package (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            is_last_resort INTEGER NOT NULL CHECK (is_last_resort IN (0, 1)),
            data BLOB NOT NULL CHECK (length(data) BETWEEN 4 AND 16384)
        ) STRICT;
        CREATE INDEX key_package_user ON key_package (user_id, is_last_resort, number);
        CREATE UNIQUE INDEX key_package_one_last_resort ON key_package (user_id) WHERE is_last_resort = 1;

        CREATE TABLE chat (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            name TEXT NOT NULL UNIQUE CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
            alias TEXT NOT NULL CHECK (length(CAST(alias AS BLOB)) <= 64),
            mls_group_id TEXT,
            message_expiry INTEGER NOT NULL CHECK (message_expiry >= -1),
            visibility INTEGER NOT NULL CHECK (visibility IN (1, 2)),
            last_sequence INTEGER NOT NULL CHECK (last_sequence >= 0),
            epoch INTEGER,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE group_info (
            group_id BLOB NOT NULL PRIMARY KEY REFERENCES chat ON DELETE CASCADE,
            data BLOB NOT NULL CHECK (length(data) > 0)
        ) STRICT;

        CREATE TABLE member (
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            role INTEGER NOT NULL CHECK (role IN (1, 2)),
            joined_at INTEGER NOT NULL,
            acknowledged INTEGER NOT NULL CHECK (acknowledged >= 0),
            awaits_external_join INTEGER NOT NULL CHECK (awaits_external_join IN (0, 1)),
            PRIMARY KEY (group_id, user_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX member_user ON member (user_id);

        CREATE TABLE message (
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            sequence INTEGER NOT NULL CHECK (sequence > 0),
            sender_id BLOB NOT NULL CHECK (length(sender_id) = 16),
            data BLOB NOT NULL CHECK (length(data) > 0),
            created_at INTEGER NOT NULL,
            PRIMARY KEY (group_id, sequence)
        ) STRICT;
        CREATE INDEX message_age ON message (created_at);
        CREATE INDEX message_group_age ON message (group_id, created_at);

        CREATE TABLE invite (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            inviter_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            invitee_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            commit_message BLOB NOT NULL CHECK (length(commit_message) > 0),
            welcome BLOB NOT NULL CHECK (length(welcome) > 0),
            group_info BLOB NOT NULL CHECK (length(group_info) > 0),
            created_at INTEGER NOT NULL,
            UNIQUE (group_id, invitee_id)
        ) STRICT;
        CREATE INDEX invite_invitee ON invite (invitee_id);
        CREATE INDEX invite_inviter ON invite (inviter_id);

        CREATE TABLE welcome (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            data BLOB NOT NULL CHECK (length(data) > 0),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX welcome_user ON welcome (user_id);
        CREATE INDEX welcome_group ON welcome (group_id);

        CREATE TABLE ban (
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            banned_by BLOB NOT NULL CHECK (length(banned_by) = 16),
            banned_at INTEGER NOT NULL,
            PRIMARY KEY (group_id, user_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ban_user ON ban (user_id);

        CREATE TABLE answer (
            user_id BLOB NOT NULL REFERENCES user ON DELETE CASCADE,
            idempotency_key BLOB NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
            ordinal INTEGER NOT NULL,
            request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
            status INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
            body BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, idempotency_key),
            UNIQUE (user_id, ordinal)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX answer_age ON answer (created_at);
        """

    /// What the clock showed when it was last right, as far as is known.
    private static let version4 = """
        CREATE TABLE clock (
            only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
            trusted INTEGER NOT NULL
        ) STRICT;
        """

    /// Epochs here are eight bytes, most significant first, so that ranges of them can be queried.
    private static let version2 = """
        CREATE TABLE taken_commit (
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            epoch BLOB NOT NULL CHECK (length(epoch) = 8),
            sequence INTEGER NOT NULL CHECK (sequence > 0),
            PRIMARY KEY (group_id, epoch)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX taken_commit_sequence ON taken_commit (group_id, sequence);
        """

    /// Commits that contest a counted one. They are forgotten with it.
    private static let version3 = """
        CREATE TABLE contest (
            group_id BLOB NOT NULL,
            epoch BLOB NOT NULL,
            user_id BLOB NOT NULL CHECK (length(user_id) = 16),
            sequence INTEGER NOT NULL CHECK (sequence > 0),
            PRIMARY KEY (group_id, epoch, user_id, sequence),
            FOREIGN KEY (group_id, epoch) REFERENCES taken_commit (group_id, epoch) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        """

    /// What identifies a GroupInfo. For older groups no tags are known; their `tags_from` stays NULL until one is.
    /// Epochs in the columns of `chat` are bit patterns, those in tables of their own eight bytes, most significant
    /// first.
    private static let version5 = """
        ALTER TABLE chat ADD COLUMN highest_epoch INTEGER;
        ALTER TABLE chat ADD COLUMN tags_from INTEGER;
        UPDATE chat SET highest_epoch = epoch;

        CREATE TABLE commit_tag (
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            epoch BLOB NOT NULL CHECK (length(epoch) = 8),
            tag BLOB NOT NULL CHECK (length(tag) BETWEEN 1 AND 128),
            sequence INTEGER NOT NULL CHECK (sequence >= 0),
            PRIMARY KEY (group_id, epoch, tag)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX commit_tag_sequence ON commit_tag (group_id, sequence);

        CREATE TABLE vouch (
            group_id BLOB NOT NULL,
            user_id BLOB NOT NULL,
            epoch BLOB NOT NULL CHECK (length(epoch) = 8),
            tag BLOB NOT NULL CHECK (length(tag) BETWEEN 1 AND 128),
            PRIMARY KEY (group_id, user_id),
            FOREIGN KEY (group_id, user_id) REFERENCES member (group_id, user_id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE group_info RENAME TO only_group_info;
        CREATE TABLE group_info (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            group_id BLOB NOT NULL REFERENCES chat ON DELETE CASCADE,
            tag BLOB NOT NULL CHECK (length(tag) <= 128),
            data BLOB NOT NULL CHECK (length(data) > 0),
            UNIQUE (group_id, tag)
        ) STRICT;
        CREATE INDEX group_info_number ON group_info (group_id, number);
        """

    /// One that cannot be read has the empty tag.
    private static func keepGroupInfosByTag(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT group_id, data FROM only_group_info")
        while let row = try rows.next() {
            let data: Data = row[1]
            // It was not checked when it was stored.
            let tag = (try? GroupInfoOutline(data))?.confirmationTag ?? []
            try db.execute(
                sql: "INSERT INTO group_info (group_id, tag, data) VALUES (?, ?, ?)",
                arguments: [
                    row[0] as Data, Data(ServerLimits.confirmationTagBytes.contains(tag.count) ? tag : []), data,
                ])
        }
        try db.execute(sql: "DROP TABLE only_group_info")
    }
}
