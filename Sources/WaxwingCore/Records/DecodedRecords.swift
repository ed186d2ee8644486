import ConclaveProtocol

/// Records of groups that are as large as the group. Once decoded they are kept here, so that the next commit does not
/// decode them again.
struct DecodedRecords: Sendable {
    var rooms: [ID: RoomRecord] = [:]
    var memberships: [ID: MembershipRecord] = [:]

    /// For how many groups something is kept, at most.
    var count: Int { max(rooms.count, memberships.count) }
}
