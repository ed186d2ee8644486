/// ServerLimits on everything a client can make the server store or do, each with its reason.
enum ServerLimits {
    /// Largest request body in bytes: the protocol's limit.
    static let body = 1 << 20
    /// The same for requests without a session, which hold names, a password and a token.
    static let openBody = 256 << 10
    static let nameBytes = 64
    static let aliasBytes = 64
    static let passwordBytesMin = 8
    /// No one types a longer password.
    static let passwordBytesMax = 1024
    static let keyPackageBytes = 4...16_384
    /// The protocol's number; more are dropped without an error.
    static let regularKeyPackages = 10
    /// More than any client needs; each is checked and counted while everyone else waits to write.
    static let keyPackagesPerUpload = 100
    static let fingerprintBytes = 128
    static let mlsGroupIDDigits = 512
    static let messagesPerPage = 100
    static let messagesPerPageMax = 500
    /// Message bytes in one page: it is in memory until its reader has taken it. A single message may have half of
    /// that.
    static let pageBytes: Int64 = 2 << 20
    static let publicGroupsListed = 500
    static let usersPerInvite = 500
    /// Rows that one commit may contest: those which the sender refused last.
    static let contestedRows = 16
    /// Commits of one member that may contest the counted one of an epoch. One is enough for an honest member.
    static let contestsPerMember = 8
    /// Bytes of a confirmation tag: a hash's length, which is 64 at most in the suites of RFC 9420.
    static let confirmationTagBytes = 1...128
    /// Confirmation tags of a group that are kept after their commits are gone from the log.
    static let outlivedTags = 64
    /// Members who must report the same state if the server knows no commit for it: one could make it up.
    static let vouchingMembers = 2
    /// GroupInfos that are kept for a group: that of the living branch and those of commits that raced it.
    static let groupInfos = 4
    /// Commits by which a member can be ahead of the count, in a group whose tags are not known: one of their own and
    /// an invite on top.
    static let epochsAhead: UInt64 = 2
    /// Epochs after the first whose tag was recorded in which a GroupInfo from before may still come.
    static let epochsWithOlderGroupInfos: UInt64 = 3
    /// 7 days: longer than any client keeps repeating one request.
    static let idempotencySeconds: Int64 = 7 * 86_400
    static let idempotencyKeyBytes = 128
    static let idempotencyKeysPerUser: Int64 = 1000
    /// Longest answer that is kept for a repeat: with the number above, 4 MiB per user.
    static let idempotencyAnswerBytes = 4096
    /// Events kept for readers that come back, and addressees summed over them (16 bytes and a header each).
    static let recentEvents = 4096
    static let recentAddressees = 400_000
    static let eventStreamsPerUser = 32
    /// Polls that wait at once. One whose client is gone stays until its time is up; the newest replace the oldest.
    static let eventPollsPerUser = 32
    /// Events in one answer to a poll, of at most some hundred bytes each.
    static let eventsPerPoll = 256
    /// Seconds a poll waits by default, and at most: proxies give up on a silent request after a minute.
    static let pollSeconds = 25
    static let pollSecondsMax = 60
    /// Bytes of a registration token that we make.
    static let registrationTokenBytes = 16
    /// Password hashes in progress at once (128 MiB each), and waiting for their turn.
    static let hashesAtOnce = 2
    static let hashesWaiting = 256
    /// Remote addresses and usernames whose request rate is remembered.
    static let trackedBuckets = 50_000
    /// Addresses of an account where its password was right that are remembered.
    static let loginAddresses = 32
    /// The longest time in which an allowance is full again.
    static let allowanceSecondsMax: Int64 = 3_600
    /// Inviters who together can fill one invitee's list.
    static let invitersToFill: Int64 = 10
    /// Invites in one answer; more of them follow once these are answered, or on request.
    static let invitesPerPage = 500
    /// Bytes of Welcomes in one answer: more than anyone gets who answers their invites themselves.
    static let welcomeBytes: Int64 = 32 << 20
    /// Groups in one answer to who asks for a page.
    static let groupsPerPageMax = 500
    /// Long lists that are read at once, of the readers that the database has.
    static let longReadsAtOnce = 2
    static let longReadsWaiting = 32
    /// Invites of a group in one answer: more than any group has, unless its admins mean harm.
    static let groupInvitesPerPage = 5_000
    /// By how many sequence numbers a restored server leaps ahead: more than any group got after its backup.
    static let eraSequences = 1_000_000
    /// How often a server looks for what an operator's command left.
    static let newsSeconds = 1.0
    /// Connections of the monitor at once.
    static let monitorConnections = 16
    /// Deleted groups that their former members are told of, each of them, and for how long: 90 days.
    static let deletedGroups = 1_000
    static let deletedGroupSeconds: Int64 = 90 * 86_400
    /// Seconds after which a session's expiry is written again.
    static let slideSeconds: Int64 = 60
    /// Seconds a stopping server waits for requests in progress.
    static let stopSeconds: Int64 = 3
    /// Of these, seconds that requests in progress have before their connections are closed.
    static let graceSeconds = 2.0
    /// Seconds a connection of someone who is not logged in may be silent between requests.
    static let strangerIdleSeconds = 30.0
    /// Addresses in `X-Forwarded-For` that are looked at, from the end.
    static let forwardedHops = 16
    /// Connections at once, if the system allows as many.
    static let connections = 8192
    /// Files a server needs besides connections.
    static let otherFiles = 64
    /// Seconds a connection may be silent between requests, or in the middle of one.
    static let idleSeconds: Int64 = 300
    static let housekeepingSeconds = 30.0
    /// By how much the clock may be set before it is doubted, and for how long: an operator may see the log first.
    static let clockSetSeconds: Int64 = 3_600
    static let clockDoubtSeconds: Int64 = 86_400
    /// How often the clock's reading is recorded.
    static let clockNotedSeconds: Int64 = 600
    /// A server that was away for longer may have been started with a wrong clock.
    static let absenceSeconds: Int64 = 7 * 86_400
}
