/// Any message between clients (RFC 9420 §6).
package enum MLSMessage: Hashable, Sendable {
    case publicMessage(PublicMessage)
    case privateMessage(PrivateMessage)
    case welcome(Welcome)
    case groupInfo(GroupInfo)
    case keyPackage(KeyPackage)

    package var wireFormat: WireFormat {
        switch self {
        case .publicMessage: .publicMessage
        case .privateMessage: .privateMessage
        case .welcome: .welcome
        case .groupInfo: .groupInfo
        case .keyPackage: .keyPackage
        }
    }

    /// What anyone can read from a message. Nothing is verified.
    ///
    /// - Throws: `malformed`, `unsupported`, `tooLarge`.
    package static func summary(of bytes: [UInt8]) throws(MLSError) -> MessageSummary {
        MessageSummary(try MLSMessage(decoding: bytes))
    }
}

extension MLSMessage: TLSEncodable, TLSDecodable {
    /// - Throws: `unsupported` for another version or wire format, and for a key package of another version than its
    ///   message's.
    package init(from reader: inout TLSReader) throws(MLSError) {
        let version: ProtocolVersion = try reader.read()
        if version != .mls10 { throw MLSError(.unsupported, "protocol version \(version.rawValue)") }
        switch try reader.read(WireFormat.self) {
        case .publicMessage: self = .publicMessage(try reader.read())
        case .privateMessage: self = .privateMessage(try reader.read())
        case .welcome: self = .welcome(try reader.read())
        case .groupInfo: self = .groupInfo(try reader.read())
        case .keyPackage:
            let keyPackage: KeyPackage = try reader.read()
            // RFC 9420 §10: it has the version of the message around it.
            if keyPackage.version != version {
                throw MLSError(.unsupported, "a key package of version \(keyPackage.version.rawValue)")
            }
            self = .keyPackage(keyPackage)
        }
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(ProtocolVersion.mls10)
        writer.write(wireFormat)
        switch self {
        case .publicMessage(let message): writer.write(message)
        case .privateMessage(let message): writer.write(message)
        case .welcome(let welcome): writer.write(welcome)
        case .groupInfo(let groupInfo): writer.write(groupInfo)
        case .keyPackage(let keyPackage): writer.write(keyPackage)
        }
    }
}

extension KeyPackage {
    /// As it is published: the bytes of an MLSMessage with the key package in it (RFC 9420 §6).
    public var message: [UInt8] { MLSMessage.keyPackage(self).encoded }

    /// Reads a published key package. Nothing is verified; ``validate(crypto:now:)`` does that.
    ///
    /// - Parameter message: the bytes of an MLSMessage.
    /// - Throws: `malformed` for anything but one with a key package in it, `unsupported` for another version.
    public init(message: [UInt8]) throws(MLSError) {
        guard case .keyPackage(let keyPackage) = try MLSMessage(decoding: message) else {
            throw MLSError(.malformed, "a message without a key package")
        }
        self = keyPackage
    }
}
