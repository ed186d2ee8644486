import FoundationEssentials

/// A key package on its way to the server.
public struct KeyPackageUpload: Hashable, Sendable {
    /// An encoded MLSMessage that holds a KeyPackage: at most 16 KiB.
    public var data: [UInt8]
    /// Whether it is handed out repeatedly once the regular ones are used up.
    public var isLastResort: Bool

    public init(data: [UInt8], isLastResort: Bool) {
        self.data = data
        self.isLastResort = isLastResort
    }
}

/// A key package that the server handed out for one invited user.
public struct MemberKeyPackage: Hashable, Sendable {
    public var user: ID
    public var keyPackage: [UInt8]

    public init(user: ID, keyPackage: [UInt8]) {
        self.user = user
        self.keyPackage = keyPackage
    }
}

extension Endpoint {
    /// `POST /key-packages`. The server keeps ten regular ones and silently drops the rest; a last-resort one replaces
    /// the old.
    ///
    /// - Parameter fingerprint: lower-case hex SHA-256 of the signature public key.
    public static func uploadKeyPackages(
        _ keyPackages: [KeyPackageUpload], fingerprint: String, token: SessionToken, idempotencyKey: String? = nil
    ) -> Call<Void> {
        var message = WireUploadKeyPackageRequest()
        message.signingKeyFingerprint = fingerprint
        message.entries = keyPackages.map { upload in
            var entry = WireKeyPackageEntry()
            entry.data = Data(upload.data)
            entry.isLastResort = upload.isLastResort
            return entry
        }
        return Call(post("/key-packages", message, token, idempotencyKey))
    }

    /// `GET /key-packages/{uuid}`: takes one key package of `user` off the server. Refused: `notFound`.
    public static func keyPackage(of user: ID, token: SessionToken) -> Call<[UInt8]> {
        Call(get("/key-packages/\(user)", token)) { (answer: WireGetKeyPackageResponse) throws(InvalidMessage) in
            try checkedKeyPackage(answer.keyPackageData)
        }
    }

    /// Only the size is checked: the MLS engine judges the content.
    static func checkedKeyPackage(_ data: Data) throws(InvalidMessage) -> [UInt8] {
        guard ProtocolLimits.keyPackage.contains(data.count) else {
            throw InvalidMessage("a key package has \(data.count) bytes")
        }
        return Array(data)
    }
}
