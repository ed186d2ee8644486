/// Somebody outside of the group who may send it proposals: an entry of the group's `external_senders` (RFC 9420 §12.1.8.1).
public struct ExternalSender: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let signatureKey: [UInt8]
    public let credential: Credential

    public init(signatureKey: [UInt8], credential: Credential) {
        self.signatureKey = signatureKey
        self.credential = credential
    }

    public init(from reader: inout TLSReader) throws(MLSError) {
        signatureKey = try reader.readOpaque()
        credential = try reader.read()
    }

    public func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(signatureKey)
        writer.write(credential)
    }
}

extension Extension {
    /// The GroupContext extension that lists who may propose from outside; a proposal names its sender by the place in this list.
    public static func externalSenders(_ senders: [ExternalSender]) -> Extension {
        var writer = TLSWriter()
        writer.writeVector(senders)
        return Extension(.externalSenders, data: writer.bytes)
    }

    /// The GroupContext extension that says what every member must support (RFC 9420 §11.1).
    public static func requiredCapabilities(_ required: RequiredCapabilities) -> Extension {
        Extension(.requiredCapabilities, data: required.encoded)
    }
}

extension [Extension] {
    /// Who may propose from outside; nobody when the list does not say.
    ///
    /// - Throws: `malformed`.
    public func externalSenders() throws(MLSError) -> [ExternalSender] {
        guard let data = self[.externalSenders] else { return [] }
        var reader = TLSReader(data)
        let senders = try reader.readVector(of: ExternalSender.self)
        try reader.expectEnd()
        return senders
    }
}
