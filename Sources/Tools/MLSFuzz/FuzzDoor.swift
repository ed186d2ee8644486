/// A way into the engine for bytes that no one has checked.
public enum FuzzDoor: String, CaseIterable, Sendable {
    /// Every type that is read from the wire; the first byte chooses it.
    case decode
    /// A ratchet tree, read and validated.
    case tree
    /// A Welcome for the joiner.
    case welcome
    /// A GroupInfo to join by an external commit.
    case groupInfo = "group-info"
    /// A message for a member: proposal, commit or application data.
    case handle
    /// The stored records of a group.
    case restore
    /// A stored staged commit.
    case staged
    /// A stored key package with its private keys.
    case bundle
    /// A Welcome to a group that continues another one.
    case successor
    /// A GroupInfo with which to propose something from outside the group.
    case outside
}
