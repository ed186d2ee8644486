import ConclaveProtocol

/// What is under way, and what is known to be left to do. Nothing in here must survive the process: the store says the rest.
///
/// Each group has a lane of its own with at most one request under way, so that its order holds; one more lane is for the account.
struct Lanes: Sendable {
    var account = AccountLane()
    private var groups: [ID: GroupLane] = [:]
    /// Groups that may have something to do, in the order they asked.
    private(set) var agenda: [ID] = []
    private var onAgenda: Set<ID> = []
    private var sleeping: Set<ID> = []
    /// Groups with fetched rows that still have to be applied, and about how many.
    var backlog: [ID: Int] = [:]
    var calls: [CallID: PendingCall] = [:]
    private var lastCall: UInt64 = 0
    /// Our id of a group by the server's.
    var serverIDs: [ID: ID] = [:]

    subscript(_ group: ID) -> GroupLane {
        get { groups[group] ?? GroupLane() }
        set {
            groups[group] = newValue
            ask(group)
        }
    }

    mutating func ask(_ group: ID) {
        if onAgenda.insert(group).inserted { agenda.append(group) }
    }

    mutating func askAgain(_ groups: [ID]) {
        agenda = []
        onAgenda = []
        for group in groups { ask(group) }
    }

    /// Forgets everything but the numbers that were handed out, since a late answer to a forgotten call must not pass for that of a new one, and
    /// the sizes of pages that came through.
    mutating func forgetAll() {
        let (lastCall, old) = (lastCall, groups)
        self = Lanes()
        self.lastCall = lastCall
        for (group, lane) in old where lane.pageRows < ClientLimits.pageRows {
            groups[group] = GroupLane(pageRows: lane.pageRows)
        }
    }

    mutating func begin(_ call: PendingCall) -> CallID {
        lastCall += 1
        let id = CallID(number: lastCall)
        calls[id] = call
        return id
    }

    /// The next moment at which a lane wants to be looked at again, and can be.
    var nextWake: Deadline? {
        var moments = sleeping.compactMap { groups[$0]?.notBefore }
        if let moment = account.notBefore, !account.busy, hasFreeCall { moments.append(moment) }
        return moments.min { $0.uptime < $1.uptime }
    }

    /// Few before the server has said anything that makes sense, so that one in trouble is asked little.
    var callsMax = ClientLimits.firstCalls

    var hasFreeCall: Bool { calls.count < callsMax }

    /// Nothing is done for a group before `moment`.
    mutating func sleep(_ group: ID, until moment: Deadline) {
        groups[group, default: GroupLane()].notBefore = moment
        groups[group]?.waitsForTime = true
        sleeping.insert(group)
    }

    mutating func wake(_ group: ID) {
        guard sleeping.remove(group) != nil else { return }
        groups[group]?.waitsForTime = false
        ask(group)
    }

    /// Wakes the lanes whose time has come.
    ///
    /// - Parameter fetching: nothing tells meanwhile of what has come to their logs.
    mutating func wake(_ now: Moment, fetching: Bool) {
        for id in sleeping.sorted() where groups[id]?.notBefore?.isDue(now) ?? true {
            wake(id)
            if fetching { self[id].needsFetch = true }
        }
    }

    /// One group's outlook.
    struct GroupLane: Sendable {
        /// A request of this group is under way.
        var busy = false
        /// The log may hold rows we have not fetched.
        var needsFetch = false
        /// The log was read to its end in this connection.
        var hasReadLog = false
        /// Fetch from the row at the cursor once more, to see whether the server still counts as it did.
        var overlap = false
        /// Rows asked for in one page; halved while answers are too large.
        var pageRows = ClientLimits.pageRows
        var failures: UInt32 = 0
        var waitsForTime = false
        var notBefore: Deadline?
        /// Rows applied in this catch-up.
        var applied = 0
        /// The roster round (``AccountLane/round``) that saw the tree as it is now.
        var rosterWanted: UInt64 = 0
        /// The server refused our page as that of a stranger. With a roster that does not list us, we are out.
        var isRefused = false
        /// The server says that the group is no more, by an event or by the way it refused our page.
        var isDeleted = false
        /// Rows of epochs that we have not reached were parked: if the log ends there, commits are missing from it.
        var hasParked = false
        /// The epoch of a GroupInfo that was ahead of us; if the log, drained, does not lead there, commits are missing from it.
        var epochWanted: UInt64?
        /// How often parked rows made us ask where the group is, and how often rows made us doubt our branch.
        var looksForParked = 0
        var doubts = 0
        /// When a row that looks for a better GroupInfo out of turn would have looked again.
        var nextLook: Deadline?
        /// The server does not take our GroupInfo.
        var upkeepRefused = false
        /// How often the server refused an external commit that no one asked for.
        var probesRefused: UInt32 = 0
        /// How often the server took a commit of ours that has not come back in the log, by its digest.
        var taken: [[UInt8]: UInt32] = [:]
        /// A roster came while the log was not drained: compare it with the tree afterwards.
        var rosterUncompared = false
        /// Fetch the welcomes before anything else is done about an accepted invite.
        var acceptAnswer: AcceptAnswer?

        /// Escrowed invites that the server no longer lists, until the log has been drained once more.
        var missingEscrows: Set<[UInt8]> = []
        /// Users whose invites are gone: accepted, perhaps, which the roster of that round or a later one tells.
        var goneInvites: [ID: UInt64] = [:]
        /// Look at the server's list of invites again, once the log is drained.
        var recheckEscrows = false

        enum AcceptAnswer: Sendable { case welcomesWanted(stale: Bool), rosterWanted(stale: Bool) }
    }

    /// What is stale of the account's own lists.
    struct AccountLane: Sendable {
        var busy = false
        var groupsStale = false
        var invitesStale = false
        var welcomesStale = false
        /// Groups whose roster lists us, though we never had keys of theirs. If no Welcome brings them, we come in from outside.
        var keysMissing: Set<ID> = []
        var keyPackagesUnchecked = false
        /// The server's key packages of ours were deleted to make room for a fresh set.
        var keyPackagesReset = false
        /// Welcomes that are processed and durable, to be acknowledged.
        var welcomesToAccept: [ID] = []
        /// Users whose names are wanted, and those nobody could name.
        var namesWanted: [ID] = []
        var namesUnknown: Set<ID> = []
        /// Nobody has looked yet for users in the store who have no name.
        var namesUnsought = false
        /// Groups with invites that may be gone, or stale.
        var invitesToCheck: [ID] = []
        var failures: UInt32 = 0
        var notBefore: Deadline?
        /// Counts requests for the roster.
        var round: UInt64 = 0
        /// The last round whose answer is in the store.
        var roundDone: UInt64 = 0

        mutating func everythingIsStale() {
            groupsStale = true
            invitesStale = true
            welcomesStale = true
            keyPackagesUnchecked = true
            namesUnsought = true
        }
    }
}
