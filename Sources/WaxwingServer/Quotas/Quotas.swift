/// What one user may have on the server, and how fast they may ask for more. Nil is without a limit.
///
/// The defaults are for a community of a thousand: no honest member meets them, and all of a server's members together
/// cannot surprise its operator within a day. All of it is counted in the database, so a restart forgets nothing.
public struct Quotas: Hashable, Sendable {
    /// Bytes of messages, commits, invites, Welcomes and GroupInfos that a user sent and the server still has.
    public var bytesKept: Int64? = 512 << 20
    /// Bytes of requests a minute that write something; as many may come at once.
    public var bytesPerMinute: Int64? = 32 << 20
    /// Groups a user is a member of.
    public var groups: Int64? = 1_000
    /// Invites that a user sent and nobody has answered.
    public var invitesSent: Int64? = 1_000
    /// Invites that wait for a user. One inviter may have a tenth of them.
    public var invitesReceived: Int64? = 200
    /// Key packages of others an hour.
    public var keyPackagesPerHour: Int64? = 1_000
    /// GroupInfos offered without a commit, an hour.
    public var groupInfosPerHour: Int64? = 600

    public init() {}
}
