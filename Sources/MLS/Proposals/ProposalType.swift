/// The type of a proposal (RFC 9420 §17.4).
public struct ProposalType: RegistryValue {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let add = ProposalType(1)
    public static let update = ProposalType(2)
    public static let remove = ProposalType(3)
    public static let preSharedKey = ProposalType(4)
    public static let reInit = ProposalType(5)
    public static let externalInit = ProposalType(6)
    public static let groupContextExtensions = ProposalType(7)

    /// Whether every implementation supports it, so that capabilities need not list it (RFC 9420 §7.2).
    public var isDefault: Bool { (1...7).contains(rawValue) }
}
