/// One change to the small keyed records that a group is stored as.
///
/// The changes of one batch are applied in order, all or none. A deleted value held secrets: the store must not keep
/// it.
public enum StateChange: Hashable, Sendable {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])
    /// Deletes every record whose key begins with these bytes; with no bytes, all records of the group.
    case deletePrefix([UInt8])
}
