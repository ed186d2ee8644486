import MLS

/// Fields that hold something of MLS.
extension Request {
    /// `[{type, data}]`; nil if the field is absent.
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

    /// `psks`, a list of what store_psk and add_resumption_psk take: `{psk_id, psk}` or `{psk_group_id, epoch, psk}`.
    func psks() throws -> [PreSharedKey] { try objects("psks").map { try $0.psk() } }

    func psk() throws -> PreSharedKey {
        try has("psk_group_id") && !has("psk_id") ? resumptionPSK() : externalPSK()
    }

    func externalPSK() throws -> PreSharedKey {
        PreSharedKey(source: .external(id: try bytes("psk_id")), secret: Secret(try bytes("psk")))
    }

    func resumptionPSK() throws -> PreSharedKey {
        PreSharedKey(
            source: .resumption(.application, groupID: try bytes("psk_group_id"), epoch: try integer("epoch")),
            secret: Secret(try bytes("psk")))
    }
}
