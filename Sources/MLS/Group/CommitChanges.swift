/// What a commit does to a group, for whoever shows it to people or acts on it.
public struct CommitChanges: Hashable, Sendable {
    /// New members, under the leaf they got. The joiner of an external commit is among them.
    public var added: [Member] = []
    /// Members that are gone, as they were before.
    public var removed: [Member] = []
    /// Members with a new leaf (by an Update proposal or the committer's own path), as they are after.
    public var updated: [Member] = []
    /// Whether the commit has an UpdatePath.
    public var pathUpdated = false
    /// Whether the committer joined by this very commit.
    public var external = false
    /// Whether this member is among the removed.
    public var selfRemoved = false
    /// The group's extensions, if the commit set them.
    public var extensions: [Extension]?
    /// Set when the group is over and goes on under these parameters.
    public var reInit: ReInit?
    /// How many pre-shared keys went into the new epoch.
    public var pskCount = 0

    public init() {}
}
