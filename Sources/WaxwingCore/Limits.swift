/// The limits the client keeps, each with its reason.
public enum ClientLimits {
    /// Longest text of one message, in bytes of UTF-8. The server takes bodies up to 1 MiB; this leaves room for
    /// padding and framing.
    public static let messageText = 256 << 10
    /// Rows asked for in one page of the log. Small enough that a page of ordinary messages stays well under a
    /// megabyte.
    static let pageRows = 200
    /// Fetched rows that may wait to be applied before the next page is asked for. This bounds the disk space a flood
    /// can take ahead of us.
    static let inboxBacklog = 1_000
    /// Rows applied in one change set: enough to share one fsync, few enough to keep memory flat.
    static let rowsPerChangeSet = 100
    /// Bytes of fetched rows after which a change set takes no more: long messages must not make it many times larger
    /// than usual.
    static let bytesPerChangeSet = 1 << 20
    /// Rows read from the store at once: by so much a change set may exceed its bytes.
    static let rowsPerRead = 20
    /// Rows of unreached epochs kept for later, for each group.
    static let parkedRows = 1_000
    /// Requests under way at once; at first, before anything has come from the server; and after trouble with it.
    static let concurrentCalls = 8
    static let firstCalls = 2
    static let probingCalls = 1
    /// Groups whose MLS state is kept in memory.
    static let cachedGroups = 16
    /// Epochs of which the deciding commit is remembered, to check a GroupInfo against.
    static let commitTags = 32
    /// Commits remembered of one epoch, and in all. A room full of invites accepted at once leaves dozens of dead ones;
    /// more is a flood.
    static let commitsPerEpoch = 64
    static let loggedCommits = 256
    /// Pages of ``rowsPerRead`` history rows that are searched for what we said on a dead branch.
    static let pagesSaidAgain = 500
    /// How often in one epoch a message with a used key of ours makes us seal what waits again.
    static let timesSealedAnew: UInt8 = 8
    /// How many of the people whom a refused change would have added are named in its lines, and of those it would have
    /// removed. One commit may name thousands.
    static let triesShown = 8
    /// Bytes of a confirmation tag (the longest hash there is), and leaves removed by one commit, that are kept of a
    /// commit that is not verified.
    static let confirmationTag = 64
    static let loggedRemoves = 256
    /// How far ahead of the present epoch commits are remembered: junk of far epochs must not drive out those that tell
    /// branches apart.
    static let epochsAhead: UInt64 = 16
    /// Commits kept whole while there are no keys, in number and in bytes of each: those that may be of the present
    /// epoch.
    static let witnesses = 64
    static let witnessBytes = 64 << 10
    /// Times the server is asked for a GroupInfo that the log does not contradict, before we join by the one it has.
    static let looksForGroupInfo: UInt32 = 8
    /// Times within one connection that rows of later epochs make us ask where the group is: anyone can send such rows.
    static let looksForParked = 4
    /// External commits that no one asked for and the server refused, before we go on with the keys we have.
    static let probesRefused: UInt32 = 4
    /// Each member waits its rank times this, in milliseconds, before it looks after the server's GroupInfo, for at
    /// most this many ranks, and up to as much again at random, so that usually one member does it.
    static let upkeepStagger: UInt64 = 1_000
    static let upkeepRanks = 20
    /// Rows with refused commits of one epoch that are remembered: the one that the server counted is among the last.
    static let refusedCommits = 16
    /// Users whom lost commits would have added, kept for each group.
    static let awaitedPairs = 64
    /// Pairs that were removed from a group, kept so that no old commit lets them in again.
    static let departedPairs = 256
    /// Pairs that someone has accepted in a group without knowing yet whether they are on its living branch.
    static let decidedPairs = 256
    /// Members for whom one commit vouches, and how long others have by then to join, in milliseconds.
    static let vouchedPairs = 64
    static let vouchDelay: UInt64 = 2_000
    /// First and longest wait after a failure, in milliseconds; doubled each time, with jitter.
    static let retryDelayMin: UInt64 = 500
    static let retryDelayMax: UInt64 = 60_000
    /// First wait after an answer that reports trouble with the server, in milliseconds: it is there, and has enough to
    /// do.
    static let serverRetryDelayMin: UInt64 = 2_000
    /// Tries of a request that is refused in a way that makes no sense, before it is given up.
    static let senselessRefusals: UInt32 = 12
    /// Bytes of unreached epochs' rows kept for later, for each group.
    static let parkedBytes: UInt64 = 8 << 20
    /// Key packages kept at the server (see the protocol's MLS parameters).
    static let keyPackages = 5
    /// From the first to the last second of a leaf node's lifetime. All clients use the same length, give or take an
    /// hour for clocks that differ.
    static let lifetimeLength: UInt64 = 90 * 86_400 + 3_600
    /// How far in the past a new lifetime begins, in seconds: a clock that is set back by some hours, or to another
    /// time zone, is no reason to refuse it.
    static let lifetimeLead: UInt64 = 86_400
    /// Our own keys in a room are changed this long after the last time, in seconds, and up to as much later, different
    /// for each member: with a sync a day, everyone's are changed within two weeks. A commit costs each member a few
    /// kilobytes, so a room of fifty has about five a day.
    static let rotationAge: UInt64 = 7 * 86_400
    static let rotationSpread: UInt64 = 5 * 86_400
    /// Or after this many rows of the log, and up to as many more.
    static let rotationRows: UInt64 = 4_000
    /// No sooner than this after the last time, in seconds.
    static let rotationPause: UInt64 = 86_400
    /// How many more texts have to come before a change, for each time that the clock went back: as many as are written
    /// in some days.
    static let rotationTextsAfterSetback = 50
    /// Pages of ``rowsPerRead`` history rows that are searched for texts.
    static let rotationPages = 100
    /// Members who are online wait up to this long, in milliseconds, so that not several commit on hearing of the same
    /// message.
    static let rotationStagger: UInt64 = 600_000
    /// How long private keys of replaced key packages are kept, in seconds.
    static let withdrawnLifetime: UInt64 = 90 * 86_400
    /// The same for a key package of last resort that has let us in once: what it opens can be opened by anyone who
    /// gets hold of it. An invite made with it before it was replaced waits for 30 days on `waxwingd` by default; one
    /// more day is for delivery. Someone whose invite waited longer joins from outside.
    static let usedLastResortLifetime: UInt64 = 31 * 86_400
    /// Age of a set of key packages at which a fresh one is uploaded, in seconds.
    static let keyPackageRefresh: UInt64 = 45 * 86_400
    /// Replaced key packages whose private keys are kept for invites under way.
    static let withdrawnKeyPackages = 5 * (keyPackages + 1)
    /// How far our clock may be off from the server's, in seconds, before one of them counts as wrong.
    static let clockSkew: UInt64 = 3_600
    /// Each member waits its rank times this, in milliseconds, before it evicts someone who left, so that usually only
    /// one does.
    static let evictionStagger: UInt64 = 2_000
    /// How long an admin leaves the renewal of another's invite to the others: this many milliseconds for the first, as
    /// many more for each next one, and up to as many at random. Less than a `sync` waits for what is put off.
    static let renewalDelay: UInt64 = 600
    static let renewalStagger: UInt64 = 200
    /// Admins beyond this rank wait no longer.
    static let renewalRanks = 5
    /// Rows of an archive taken in one change set: enough to share one fsync, few enough to keep memory flat and others
    /// from waiting.
    public static let importedRows = 2_000
    /// Rows at the end of each numbering of an archive that get marks, by which second copies are recognized.
    public static let importedMarks: UInt64 = 10_000
    /// Numberings of a log that are searched, back from the present one, for a row without a mark.
    static let earlierEras: UInt32 = 8
    /// Bytes of text after which such a change set takes no more rows: long messages must not make it many times larger
    /// than usual.
    public static let importedBytes = 2 << 20
    /// Longest text of an imported row. Other clients may send longer messages than this one, up to the server's 1 MiB
    /// for a body; and a byte that is not UTF-8 is kept as a replacement character of three bytes.
    static let importedText = 3 << 20
    /// How far an archive's numberings may run ahead of their count, or of those that are known here. Each stands for a
    /// restart of the server.
    static let importedErasAhead: UInt64 = 1_000
    /// The last numbering under which history is taken at all, so that counting on from it never ends.
    static let importedEras: UInt32 = 1 << 30
    /// Imported rows with larger numbers are left out: no log gets there, and anyone who counts on from them would soon
    /// run out of numbers.
    static let importedSequence: UInt64 = 1 << 53
}
