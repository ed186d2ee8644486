/// Where a pre-shared key comes from: what a `PreSharedKeyID` names without its nonce (RFC 9420 §8.4).
public enum PSKSource: Hashable, Sendable, TLSEncodable, TLSDecodable {
    /// Agreed outside of MLS and known to every member under this id.
    case external(id: [UInt8])
    /// The resumption secret of an epoch of this or of another group.
    case resumption(ResumptionUsage, groupID: [UInt8], epoch: UInt64)

    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(UInt8.self) {
        case 1: self = .external(id: try reader.readOpaque())
        case 2:
            let raw: UInt8 = try reader.read()
            guard let usage = ResumptionUsage(rawValue: raw) else {
                throw MLSError(.malformed, "resumption usage \(raw) does not exist")
            }
            self = .resumption(usage, groupID: try reader.readOpaque(), epoch: try reader.read())
        case let type: throw MLSError(.malformed, "PSK type \(type) does not exist")
        }
    }

    package func encode(to writer: inout TLSWriter) {
        switch self {
        case .external(let id):
            writer.write(UInt8(1))
            writer.writeOpaque(id)
        case .resumption(let usage, let groupID, let epoch):
            writer.write(UInt8(2))
            writer.write(usage.rawValue)
            writer.writeOpaque(groupID)
            writer.write(epoch)
        }
    }
}

/// What a resumption PSK is for (RFC 9420 §8.4).
public enum ResumptionUsage: UInt8, Hashable, Sendable {
    case application = 1
    case reinit = 2
    case branch = 3
}

/// One use of a pre-shared key: its source, and a nonce that makes this use unlike any other (RFC 9420 §8.4).
public struct PreSharedKeyID: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let source: PSKSource
    /// `KDF.Nh` random bytes.
    package let nonce: [UInt8]

    package init(source: PSKSource, nonce: [UInt8]) {
        self.source = source
        self.nonce = nonce
    }

    /// A use of its own, with a fresh nonce.
    package init(source: PSKSource, suite: CipherSuite, entropy: any EntropySource) {
        self.init(source: source, nonce: entropy.bytes(suite.hashLength))
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        source = try reader.read()
        nonce = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(source)
        writer.writeOpaque(nonce)
    }
}

/// A pre-shared key as the caller gives it: the secret and where it comes from.
public struct PreSharedKey: Sendable {
    public let source: PSKSource
    package let secret: Secret

    public init(source: PSKSource, secret: Secret) {
        self.source = source
        self.secret = secret
    }
}
