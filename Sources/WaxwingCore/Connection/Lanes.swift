import ConclaveProtocol

/// What is under way, and what is known to be left to do. Nothing in here has to survive the process: the store has the
/// rest.
///
/// Each group has a lane of its own with at most one request under way, which keeps its order. One more lane is for the
/// account.
struct Lanes: Sendable {
    var account = AccountLane()
    private var groups: [ID: GroupLane] = [:]
    /// Groups that may have something to do, in the order they asked.
    private(set) var agenda: [ID] = []
    private var onAgenda: Set<ID> = []
    private var sleeping: Set<ID> = []
    /// Groups with fetched rows that still have to be applied, and roughly how many.
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

    /// Forgets everything except two things: the numbers that were handed out, since a late answer to a forgotten call
    /// must not pass for the answer to a new one, and the sizes of pages that came through.
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

    /// The next moment at which a lane wants attention and can get it.
    var nextWake: Deadline? {
        var moments = sleeping.compactMap { groups[$0]?.notBefore }
        if let moment = account.notBefore, !account.busy, hasFreeCall { moments.append(moment) }
        return moments.min { $0.uptime < $1.uptime }
    }

    /// Few before the server has said anything that makes sense, so that a server in trouble gets few requests.
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
    /// - Parameter fetching: whether their logs are fetched, too, because nothing told of new rows meanwhile.
    mutating func wake(_ now: Moment, fetching: Bool) {
        for id in sleeping.sorted() where groups[id]?.notBefore?.isDue(now) ?? true {
            wake(id)
            if fetching { self[id].needsFetch = true }
        }
    }

    /// What one group has to do.
    struct GroupLane: Sendable {
        /// A request of this group is under way.
        var busy = false
        /// The log may hold rows we have not fetched.
        var needsFetch = false
        /// The log was read to its end in this connection.
        var hasReadLog = false
        /// Fetch from the row at the cursor again, to see whether the server still numbers rows as it did.
        var overlap = false
        /// Rows to ask for in one page; halved while answers are too large.
        var pageRows = ClientLimits.pageRows
        var failures: UInt32 = 0
        var waitsForTime = false
        var notBefore: Deadline?
        /// Rows applied in this catch-up.
        var applied = 0
        /// The round of the roster (``AccountLane/round``) that saw the tree as it is now.
        var rosterWanted: UInt64 = 0
        /// The server refused our page as a stranger's. If the roster does not list us, we are out.
        var isRefused = false
        /// The server says that the group is gone, by an event or by the way it refused our page.
        var isDeleted = false
        /// Rows of epochs that we have not reached are parked: if the log ends there, commits are missing from it.
        var hasParked = false
        /// The epoch of a GroupInfo that was ahead of us. If the log, read to its end, does not lead there, commits are
        /// missing from it.
        var epochWanted: UInt64?
        /// How often parked rows made us ask where the group is, and how often rows made us doubt our branch.
        var looksForParked = 0
        var doubts = 0
        /// When a row that looks for a better GroupInfo out of turn would have looked again.
        var nextLook: Deadline?
        /// The server does not accept our GroupInfo.
        var upkeepRefused = false
        /// How often the server refused an external commit that no one had asked for.
        var probesRefused: UInt32 = 0
        /// How often the server accepted a commit of ours, by its digest, that has not come back in the log.
        var taken: [[UInt8]: UInt32] = [:]
        /// A roster came before the log was read to its end: compare it with the tree afterwards.
        var rosterUncompared = false
        /// Fetch the welcomes before anything else is done about an accepted invite.
        var acceptAnswer: AcceptAnswer?

        /// Escrowed invites that the server no longer lists, until the log has been read to its end again.
        var missingEscrows: Set<[UInt8]> = []
        /// Users whose invites are gone, with the round of the roster. Perhaps they accepted, which the roster of that
        /// round or a later one tells.
        var goneInvites: [ID: UInt64] = [:]
        /// Look at the server's list of invites again once the log is read to its end.
        var recheckEscrows = false

        enum AcceptAnswer: Sendable { case welcomesWanted(stale: Bool), rosterWanted(stale: Bool) }
    }

    /// Which of the account's own lists are stale.
    struct AccountLane: Sendable {
        var busy = false
        var groupsStale = false
        var invitesStale = false
        var welcomesStale = false
        /// Groups whose roster lists us, though we never had their keys. If no Welcome brings them, we join from
        /// outside.
        var keysMissing: Set<ID> = []
        var keyPackagesUnchecked = false
        /// Our key packages on the server were deleted to make room for a fresh set.
        var keyPackagesReset = false
        /// Welcomes that are processed and durable, and still have to be acknowledged.
        var welcomesToAccept: [ID] = []
        /// Users whose names are wanted, and those no one could name.
        var namesWanted: [ID] = []
        var namesUnknown: Set<ID> = []
        /// The store has not been searched yet for users without a name.
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
