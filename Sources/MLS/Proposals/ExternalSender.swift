/// Someone outside the group who may send it proposals: an entry of the group's `external_senders` (RFC 9420
/// §12.1.8.1).
package struct ExternalSender: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let signatureKey: [UInt8]
    package let credential: Credential

    package init(signatureKey: [UInt8], credential: Credential) {
        self.signatureKey = signatureKey
        self.credential = credential
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        signatureKey = try reader.readOpaque()
        credential = try reader.read()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(signatureKey)
        writer.write(credential)
    }
}

extension Extension {
    /// The GroupContext extension that lists who may propose from outside; a proposal names its sender by the position
    /// in this list.
    package static func externalSenders(_ senders: [ExternalSender]) -> Extension {
        var writer = TLSWriter()
        writer.writeVector(senders)
        return Extension(.externalSenders, data: writer.bytes)
    }

    /// The GroupContext extension that says what every member must support (RFC 9420 §11.1).
    package static func requiredCapabilities(_ required: RequiredCapabilities) -> Extension {
        Extension(.requiredCapabilities, data: required.encoded)
    }
}

extension [Extension] {
    /// Who may propose from outside; no one if the list does not say.
    ///
    /// - Throws: `malformed`.
    package func externalSenders() throws(MLSError) -> [ExternalSender] {
        guard let data = self[.externalSenders] else { return [] }
        var reader = TLSReader(data)
        let senders = try reader.readVector(of: ExternalSender.self)
        try reader.expectEnd()
        return senders
    }
}
