/// The type of a credential (RFC 9420 §17.5).
public struct CredentialType: RegistryValue {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let basic = CredentialType(1)
    public static let x509 = CredentialType(2)
}
