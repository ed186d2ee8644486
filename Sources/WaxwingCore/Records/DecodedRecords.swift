import ConclaveProtocol

/// Records of groups that are as large as the group. They are kept here once decoded, so that the next commit does not decode them again.
struct DecodedRecords: Sendable {
    var rooms: [ID: RoomRecord] = [:]
    var memberships: [ID: MembershipRecord] = [:]

    /// How many groups there is something of, at most.
    var count: Int { max(rooms.count, memberships.count) }
}
