/// The type of a proposal (RFC 9420 §17.4).
public struct ProposalType: RegistryValue {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let add = ProposalType(1)
    package static let update = ProposalType(2)
    package static let remove = ProposalType(3)
    package static let preSharedKey = ProposalType(4)
    package static let reInit = ProposalType(5)
    package static let externalInit = ProposalType(6)
    package static let groupContextExtensions = ProposalType(7)

    /// Whether every implementation supports it, so that capabilities need not list it (RFC 9420 §7.2).
    package var isDefault: Bool { (1...7).contains(rawValue) }
}
