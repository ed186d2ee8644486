import ConclaveProtocol
import OpenSSLPrimitives

/// A password under scrypt (RFC 7914), as text that includes its parameters: `scrypt$logN$r$p$salt$key`, salt and key
/// in hexadecimal. So the cost can be raised without breaking old accounts.
struct PasswordHash: Sendable {
    let text: String

    private static let saltBytes = 16
    private static let keyBytes = 32

    init(text: String) {
        self.text = text
    }

    /// Takes the time and memory that `cost` says: call it off the event loops.
    init(of password: String, cost: ServerConfiguration.PasswordCost) throws {
        let salt = try randomBytes(Self.saltBytes)
        let key = try Self.scrypt(password, salt: salt, cost: cost)
        text = "scrypt$\(cost.logN)$\(cost.blockSize)$\(cost.parallelism)$\(hexEncode(salt))$\(hexEncode(key))"
    }

    /// Whether making it cost less than `cost`. What cannot be read never matches anyway.
    func isCheaper(than cost: ServerConfiguration.PasswordCost) -> Bool {
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, let logN = Int(fields[1]), let blockSize = Int(fields[2]),
            let parallelism = Int(fields[3]), (1...22).contains(logN)
        else { return false }
        return (blockSize * parallelism) << logN < (cost.blockSize * cost.parallelism) << cost.logN
    }

    /// Takes as long as making the hash did, whatever the answer.
    func matches(_ password: String) throws -> Bool {
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "scrypt",
            let logN = Int(fields[1]), let blockSize = Int(fields[2]), let parallelism = Int(fields[3]),
            let salt = hexDecode(fields[4].utf8), let key = hexDecode(fields[5].utf8)
        else { throw APIError.internalError }
        let cost = ServerConfiguration.PasswordCost(logN: logN, blockSize: blockSize, parallelism: parallelism)
        return Secrets.areEqual(try Self.scrypt(password, salt: salt, cost: cost), key)
    }

    private static func scrypt(
        _ password: String, salt: [UInt8], cost: ServerConfiguration.PasswordCost
    ) throws -> [UInt8] {
        guard (1...22).contains(cost.logN), (1...64).contains(cost.blockSize), (1...64).contains(cost.parallelism)
        else { throw APIError.internalError }
        var key = [UInt8](repeating: 0, count: keyBytes)
        do {
            try key.withUnsafeMutableBytes { key in
                try Array(password.utf8).withUnsafeBytes { password in
                    try Scrypt.key(
                        of: password, salt: salt, rounds: UInt64(1) << UInt64(cost.logN),
                        blockSize: UInt64(cost.blockSize), parallelism: UInt64(cost.parallelism), into: key)
                }
            }
        } catch {
            throw APIError.internalError
        }
        return key
    }
}
