/// The type of an extension (RFC 9420 §17.3).
public struct ExtensionType: RegistryValue {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let applicationID = ExtensionType(1)
    package static let ratchetTree = ExtensionType(2)
    package static let requiredCapabilities = ExtensionType(3)
    package static let externalPub = ExtensionType(4)
    public static let externalSenders = ExtensionType(5)
    /// Marks a key public that may be used more than once (RFC 9420 §16.8).
    public static let lastResort = ExtensionType(0x000A)

    /// Whether every implementation supports it, so that capabilities need not list it (RFC 9420 §7.2).
    package var isDefault: Bool { (1...5).contains(rawValue) }
}
