/// Who a member claims to be (RFC 9420 §5.3). The application judges whether the claim is true.
public enum Credential: Hashable, Sendable {
    /// A bare identity, an application's own bytes.
    case basic(identity: [UInt8])
    /// A certificate chain, each certificate in DER, the end entity's first.
    case x509(chain: [[UInt8]])
    /// An unknown type, whose content is taken for one `opaque<V>`.
    case other(type: CredentialType, content: [UInt8])

    public var type: CredentialType {
        switch self {
        case .basic: .basic
        case .x509: .x509
        case .other(let type, _): type
        }
    }

    /// The identity of a basic credential; empty for other types.
    public var identity: [UInt8] {
        if case .basic(let identity) = self { identity } else { [] }
    }
}

extension Credential: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        switch try reader.read(CredentialType.self) {
        case .basic:
            self = .basic(identity: try reader.readOpaque())
        case .x509:
            var certificates = try reader.readSubReader()
            var chain: [[UInt8]] = []
            while !certificates.isAtEnd { chain.append(try certificates.readOpaque()) }
            self = .x509(chain: chain)
        case let type:
            self = .other(type: type, content: try reader.readOpaque())
        }
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(type)
        switch self {
        case .basic(let identity):
            writer.writeOpaque(identity)
        case .x509(let chain):
            writer.writeVector { writer in
                for certificate in chain { writer.writeOpaque(certificate) }
            }
        case .other(_, let content):
            writer.writeOpaque(content)
        }
    }
}
