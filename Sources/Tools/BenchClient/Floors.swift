import Foundation
import GRDBSQLite
import MLS
import MLSOpenSSL

/// The bare primitives that the measured work cannot do without.
enum Floors {
    /// Verifies and opens `count` messages of the wire's suite.
    ///
    /// The sizes are those of a short message: a plaintext padded to 256 bytes, and 300 bytes of signed content with
    /// its group context.
    static func verifyAndOpen(_ count: Int) async throws -> Cost {
        let entropy = SystemEntropy()
        let suite = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
        let signer = try suite.generateSignatureKey(entropy)
        let messages = try (0..<count).map { _ in
            let key = entropy.secret(suite.suite.aeadKeyLength)
            let nonce = entropy.bytes(suite.suite.aeadNonceLength)
            let signed = entropy.bytes(300)
            return Sample(
                key: key, nonce: nonce, aad: Array(signed.prefix(64)), signed: signed,
                signature: try suite.sign(signer, signed),
                ciphertext: try suite.seal(
                    key: key, nonce: nonce, aad: Array(signed.prefix(64)), Array(signed.prefix(256))))
        }
        return try await Cost.of {
            for message in messages {
                let plaintext = try suite.open(
                    key: message.key, nonce: message.nonce, aad: message.aad, message.ciphertext)
                guard plaintext.count == 256,
                    suite.verify(publicKey: signer.publicKey, message.signed, signature: message.signature)
                else { throw Trouble("a sample does not verify") }
            }
        }
    }

    private struct Sample {
        let key: Secret
        let nonce: [UInt8]
        let aad: [UInt8]
        let signed: [UInt8]
        let signature: [UInt8]
        let ciphertext: [UInt8]
    }

    /// Commits `count` rows of 1 KiB one by one, each with its fsync, to a database of its own beside `store`.
    static func commits(_ count: Int, beside folder: URL) async throws -> Cost {
        var database: OpaquePointer?
        defer { sqlite3_close(database) }
        try check(sqlite3_open(folder.appending(path: "floor.sqlite").path, &database))
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
            "CREATE TABLE row (key INTEGER PRIMARY KEY, value BLOB)",
        ] {
            try check(sqlite3_exec(database, sql, nil, nil, nil))
        }
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        try check(sqlite3_prepare_v2(database, "INSERT INTO row (value) VALUES (zeroblob(1024))", -1, &statement, nil))
        return try await Cost.of {
            for _ in 0..<count {
                guard sqlite3_step(statement) == SQLITE_DONE else { throw Trouble("SQLite cannot commit") }
                try check(sqlite3_reset(statement))
            }
        }
    }

    private static func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw Trouble("SQLite ended with \(code)") }
    }
}
