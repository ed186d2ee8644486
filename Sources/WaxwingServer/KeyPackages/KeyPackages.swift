import ConclaveProtocol
import Foundation

/// Key packages wait on the server until someone invites their owner (RFC 9420 §10).
extension Transaction {
    func uploadKeyPackages(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireUploadKeyPackageRequest.self)
        var entries = request.entries
        if !request.keyPackageData.isEmpty {
            entries.append(.with { $0.data = request.keyPackageData })
        }
        guard !entries.isEmpty else { throw APIError.badRequest("no key package was given") }
        guard entries.count <= ServerLimits.keyPackagesPerUpload else {
            throw APIError.badRequest("an upload has at most \(ServerLimits.keyPackagesPerUpload) key packages")
        }
        try entries.forEach { try requireKeyPackage($0.data) }
        try Validation.fingerprint(request.signingKeyFingerprint)

        for entry in entries {
            try store(entry, of: call.user)
        }
        if !request.signingKeyFingerprint.isEmpty {
            try execute(
                "UPDATE user SET fingerprint = ? WHERE id = ?", [request.signingKeyFingerprint, call.user.blob])
        }
        return Answer()
    }

    func getKeyPackage(_ call: ServerCall) throws -> Answer {
        let user = try call.path.id()
        try requireUser(user)
        if let allowance = configuration.quotas.keyPackages { try take(1, of: allowance, by: call.user) }
        let data = try consumeKeyPackage(of: user)
        return try Answer(WireGetKeyPackageResponse.with { $0.keyPackageData = data })
    }

    /// The oldest regular key package, which is then deleted, or else the last-resort one, which stays.
    ///
    /// - Throws: 404/300 when there is neither.
    func consumeKeyPackage(of user: ID) throws -> Data {
        let row = try row(
            """
            SELECT number, is_last_resort, data FROM key_package
            WHERE user_id = ? ORDER BY is_last_resort, number LIMIT 1
            """,
            [user.blob])
        guard let row else { throw APIError.notFound("the user has no key package") }
        if row[1] == 0 {
            let number: Int64 = row[0]
            try execute("DELETE FROM key_package WHERE number = ?", [number])
        }
        return row[2]
    }

    /// A last-resort package replaces the one before it; a regular one beyond the limit is dropped, as the protocol
    /// says.
    private func store(_ entry: WireKeyPackageEntry, of user: ID) throws {
        if entry.isLastResort {
            try execute("DELETE FROM key_package WHERE user_id = ? AND is_last_resort = 1", [user.blob])
        } else {
            let row = try row(
                "SELECT count(*) FROM key_package WHERE user_id = ? AND is_last_resort = 0", [user.blob])
            guard let count: Int = row?[0], count < ServerLimits.regularKeyPackages else { return }
        }
        try execute(
            "INSERT INTO key_package (user_id, is_last_resort, data) VALUES (?, ?, ?)",
            [user.blob, entry.isLastResort ? 1 : 0, entry.data])
    }

    /// An MLSMessage of version 1 that holds a KeyPackage (wire format 5).
    private func requireKeyPackage(_ data: Data) throws {
        guard ServerLimits.keyPackageBytes.contains(data.count), data.starts(with: [0, 1, 0, 5]) else {
            throw APIError.badRequest("a key package is an MLSMessage of 4 bytes to 16 KiB that begins 00 01 00 05")
        }
    }
}
