import MLS

/// Fields that hold something of MLS.
extension Request {
    /// `[{type, data}]`; nil when the field is absent.
    func extensions(_ name: String) throws -> [Extension] {
        try objects(name).map { entry in
            Extension(ExtensionType(try entry.integer("type")), data: try entry.bytes("data"))
        }
    }

    /// A key package that came as an MLSMessage.
    func keyPackage(_ name: String) throws -> KeyPackage { try Self.keyPackage(try bytes(name), in: name) }

    func keyPackages(_ name: String) throws -> [KeyPackage] {
        try listOfBytes(name).map { try Self.keyPackage($0, in: name) }
    }

    private static func keyPackage(_ message: [UInt8], in name: String) throws -> KeyPackage {
        guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: message) else {
            throw PeerError("the field `\(name)` holds another message than a key package")
        }
        return keyPackage
    }

    func groupInfo(_ name: String) throws -> GroupInfo {
        guard case .groupInfo(let info) = try MLSMessage(decoding: try bytes(name)) else {
            throw PeerError("the field `\(name)` holds another message than a GroupInfo")
        }
        return info
    }

    /// `psks`, a list of `{psk_id, psk}`: external ones.
    func externalPSKs() throws -> [PreSharedKey] {
        try objects("psks").map { entry in
            PreSharedKey(source: .external(id: try entry.bytes("psk_id")), secret: Secret(try entry.bytes("psk")))
        }
    }
}
