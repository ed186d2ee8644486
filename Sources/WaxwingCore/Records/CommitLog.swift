import ConclaveProtocol
import MLS

/// A commit in a group's log: what everyone can read of it.
struct LoggedCommit: Hashable, Sendable {
    /// The epoch that it ended.
    var epoch: UInt64
    /// Its confirmation tag, which the GroupInfo of the next epoch carries, too.
    var tag: [UInt8]
    /// Where it is in the log; at the very beginning in records of version 1.
    var place = Place(era: 0, sequence: 0)
    /// It counted here: we were a member, and merged it.
    var isValid = false
    /// We refused it, as everyone does: it was not made for the state that we were in.
    var isRefused = false
    /// It was in the log before the server restarted its numbering, and is there again.
    var isKept = false
    /// A member of the epoch that it ended signed it for the state that we had then.
    var isSigned = false
    /// It is under our own name.
    var isOurs = false
    /// The committer's leaf; nil for one who joined from outside, and in records of version 1.
    var author: UInt32?
    /// The mark of the committer's new leaf (see ``CommitLog/markLength``); empty if there is none.
    var leaf: [UInt8] = []
    /// Leaves it may have emptied.
    var clears: [UInt32] = []
    /// It may have changed leaves that are not named here.
    var hasReferences = false
    /// Marks of leaves that ended with it, as far as they are known: those of commits that we merged.
    var replaced: [[UInt8]] = []

    /// A place in the log, whose numbering may have been restarted.
    struct Place: Hashable, Comparable, Sendable {
        var era: UInt32
        var sequence: UInt64

        static func < (a: Self, b: Self) -> Bool { (a.era, a.sequence) < (b.era, b.sequence) }
    }
}

/// A branch of the group: an epoch, the tag of the commit that began it, and the marks of the leaves in its tree.
struct Branch: Sendable {
    var epoch: UInt64
    var tag: [UInt8]
    var leaves: Set<[UInt8]>
}

/// The commits of the last epochs, as they are in the log. They tell which branch of the group lives: the first valid
/// commit of each epoch counts, and every leaf that a commit brings is unlike any other, so the tree of a branch shows
/// by which commits it came.
struct CommitLog: Hashable, Sendable {
    /// Bytes kept of the hash of a leaf's encryption key: enough to tell the leaves of one group apart.
    static let markLength = 16

    /// By rising epoch; those of one epoch in the order of the log.
    private(set) var commits: [LoggedCommit] = []

    /// Notes a commit. A known one keeps its place, and is completed with what is new.
    mutating func note(_ commit: LoggedCommit) {
        if let index = commits.firstIndex(where: { $0.epoch == commit.epoch && $0.tag == commit.tag }) {
            if commit.isValid {
                // What was noted of it before may belong to a row that only had its tag.
                commits[index] = commit
            } else if commit.isRefused {
                commits[index].isRefused = true
            }
            return
        }
        if commits.count(where: { $0.epoch == commit.epoch }) >= ClientLimits.commitsPerEpoch {
            // A flood must not keep out the one that counts.
            guard commit.isValid, let last = commits.lastIndex(where: { $0.epoch == commit.epoch && !$0.isValid })
            else { return }
            commits.remove(at: last)
        }
        let place = commits.firstIndex { $0.epoch > commit.epoch } ?? commits.endIndex
        commits.insert(commit, at: place)
        while let first = commits.first?.epoch,
            epochs.count > ClientLimits.commitTags || commits.count > ClientLimits.loggedCommits
        {
            commits.removeAll { $0.epoch == first }
        }
    }

    /// A known commit is in the log again, in a new numbering. Returns whether anything has changed.
    mutating func move(tag: [UInt8], of epoch: UInt64, to place: LoggedCommit.Place) -> Bool {
        guard let index = commits.firstIndex(where: { $0.epoch == epoch && $0.tag == tag }),
            commits[index].place.era < place.era
        else { return false }
        commits[index].place = place
        commits[index].isKept = true
        return true
    }

    /// What we merged from an epoch on was on a dead branch: it counts nowhere.
    mutating func forgetMerged(from epoch: UInt64) {
        commits.removeAll { $0.isValid && $0.epoch >= epoch }
    }

    /// Drops what was noted of epochs too far away to matter, once it is known where the group is.
    mutating func forget(beyond epoch: UInt64) {
        commits.removeAll { $0.epoch > epoch && $0.epoch - epoch > ClientLimits.epochsAhead }
    }

    subscript(epoch: UInt64) -> [LoggedCommit] { commits.filter { $0.epoch == epoch } }

    private var epochs: Set<UInt64> { Set(commits.map(\.epoch)) }

    // MARK: Another log

    /// A member signed a commit for the state that we had in its epoch.
    mutating func noteSigned(tag: [UInt8], of epoch: UInt64) {
        guard let index = commits.firstIndex(where: { $0.epoch == epoch && $0.tag == tag }) else { return }
        commits[index].isSigned = true
    }

    /// The first epoch whose commit is another one in the log as the server shows it now: the commit before it is there
    /// as it was, and then comes another one than we merged, made for the same state. A server does that if it was
    /// restored to an older backup, or shows people different logs. A server that only restarts its numbering has
    /// nothing of what was before.
    var replacedEpoch: UInt64? { epochs.sorted().first { !replacements(at: $0).isEmpty } }

    private func replacements(at epoch: UInt64) -> [LoggedCommit] {
        guard epoch > 0, let ours = self[epoch].first(where: \.isValid),
            let before = self[epoch - 1].first(where: \.isKept), ours.place.era < before.place.era
        else { return [] }
        return self[epoch].filter {
            $0.isSigned && !$0.isValid && !$0.isKept && $0.place.era == before.place.era && $0.place > before.place
        }
    }

    /// Whether a branch came by what is in the place of our own commits.
    func isReplacement(_ branch: Branch) -> Bool {
        guard let split = replacedEpoch else { return false }
        let first = replacements(at: split)
        func leads(_ commit: LoggedCommit) -> Bool {
            commit.epoch + 1 == branch.epoch ? commit.tag == branch.tag : branch.leaves.contains(commit.leaf)
        }
        if commits.contains(where: { $0.isValid && $0.epoch >= split && $0.epoch < branch.epoch && leads($0) }) {
            return false
        }
        if first.contains(where: { $0.epoch < branch.epoch && leads($0) }) { return true }
        // The leaf of that commit may be gone again. What was signed for a state of ours is of our own branch.
        return commits.contains {
            $0.epoch > split && $0.epoch < branch.epoch && !$0.isValid && !$0.isKept && !$0.isSigned
                && $0.place.era == first.first?.place.era && leads($0)
        }
    }

    // MARK: Which way a branch came

    /// By which of an epoch's commits a branch came.
    enum Way: Hashable { case first, another, unknown }

    /// Whether a branch came by the commit of an epoch that counts.
    ///
    /// - Parameter byOrder: whether to go by the order in the log alone, whatever we merged.
    func way(of branch: Branch, at epoch: UInt64, byOrder: Bool = false) -> Way {
        let candidates = self[epoch]
        let merged = byOrder ? nil : candidates.first(where: \.isValid)
        guard let winner = merged ?? candidates.first, epoch < branch.epoch else { return .unknown }
        if epoch + 1 == branch.epoch { return winner.tag == branch.tag ? .first : .another }
        if branch.leaves.contains(winner.leaf) { return .first }
        if winner.replaced.contains(where: branch.leaves.contains) { return .another }
        if candidates.contains(where: { $0 != winner && branch.leaves.contains($0.leaf) }) { return .another }
        return winner.leaf.isEmpty || mayHaveLost(winner, before: branch.epoch) ? .unknown : .another
    }

    /// The commit of an epoch by which a branch came; nil if that cannot be told.
    private func step(of branch: Branch, at epoch: UInt64) -> LoggedCommit? {
        self[epoch].first { epoch + 1 == branch.epoch ? $0.tag == branch.tag : branch.leaves.contains($0.leaf) }
    }

    /// Whether the leaf that a commit brought may be gone again before `end`.
    private func mayHaveLost(_ commit: LoggedCommit, before end: UInt64) -> Bool {
        guard let author = commit.author else { return true }
        let between = commits.filter { $0.epoch > commit.epoch && $0.epoch < end }
        // If an epoch has no commit in the log, no one knows what it changed.
        if Set(between.map(\.epoch)).count < Int(clamping: end - commit.epoch - 1) { return true }
        return between.contains { $0.author == author || $0.clears.contains(author) || $0.hasReferences }
    }

    /// How a GroupInfo fits the log.
    enum Fit: Hashable {
        case fits
        /// Another branch may be the living one: which of two commits counts cannot be told without the keys of their
        /// epoch.
        case doubtful
        /// Its branch is dead.
        case dead
    }

    /// Whether one may join by a branch's GroupInfo.
    ///
    /// - Parameter isVouchedFor: whether someone other than us signed it.
    func fit(of branch: Branch, isVouchedFor: Bool) -> Fit {
        // What comes first counts as long as everything before it is of one branch: no rival of an earlier epoch was in
        // the log yet.
        var rivalsFrom: LoggedCommit.Place?
        // Those who may have left this branch earlier: what they commit after that says nothing new.
        var strays: Set<UInt32> = []
        var fit = Fit.fits
        for epoch in epochs.sorted() where epoch < branch.epoch {
            let candidates = self[epoch]
            let isProven = candidates.contains(where: \.isValid)
            let isSure = rivalsFrom.map { first in candidates.first.map { $0.place < first } ?? false } ?? true
            let author = candidates.first?.author
            let isStray = author.map(strays.contains) ?? false
            if way(of: branch, at: epoch) == .another {
                // Others continue from a commit of ours that we had given up.
                let isOurs = epoch + 1 == branch.epoch && candidates.contains { $0.tag == branch.tag && $0.isOurs }
                if !(isOurs && isVouchedFor) {
                    if isProven || isSure && !isStray && !isContinued(branch, after: epoch)
                        || !candidates.contains(where: { $0.tag == branch.tag }) && epoch + 1 == branch.epoch
                    {
                        return .dead
                    }
                    fit = .doubtful
                    if let author { strays.insert(author) }
                }
            }
            // Someone who joined again along the branch is on it again.
            for commit in candidates where commit.author == nil && branch.leaves.contains(commit.leaf) {
                strays.subtract(commit.clears)
            }
            if !isProven, let rival = candidates.dropFirst().map(\.place).min() {
                rivalsFrom = min(rivalsFrom ?? rival, rival)
            }
        }
        return fit
    }

    /// Whether someone went on along a branch who is neither the author of the commit that came first at an epoch, nor
    /// of the one by which the branch came: then members may have refused the first. Someone who has left the others
    /// goes on alone.
    private func isContinued(_ branch: Branch, after epoch: UInt64) -> Bool {
        var followers = Set(
            commits.filter { $0.epoch > epoch && $0.epoch < branch.epoch && branch.leaves.contains($0.leaf) }
                .compactMap(\.author))
        if let first = self[epoch].first?.author { followers.remove(first) }
        // Whose commit it came by is not known any more: of two who went on, at least one is not its author.
        guard let step = step(of: branch, at: epoch) else { return followers.count > 1 }
        if let author = step.author { followers.remove(author) }
        return !followers.isEmpty
    }

    /// Whether another branch lives rather than ours: where they part, one of them came by the commit that counts. Nil
    /// if the log does not say.
    ///
    /// - Parameters:
    ///   - base: the epoch at which we joined. What came after it we saw with our own keys.
    ///   - entry: how sure it is that we joined by the living branch.
    func isLiving(_ other: Branch, not ours: Branch, base: UInt64, entry: GroupRecord.Entry) -> Bool? {
        let byOrder = entry != .proven
        let shared = byOrder ? lastShared(other, ours) : nil
        // Someone who goes on along a branch that is already dead comes first only among those who do.
        var (mayTheirsBeDead, mayOursBeDead) = (false, false)
        for epoch in epochs.sorted() where epoch < base || epoch == base && byOrder {
            if let shared, epoch <= shared { continue }
            switch (way(of: other, at: epoch, byOrder: byOrder), way(of: ours, at: epoch, byOrder: byOrder)) {
            case (.first, .another):
                if !mayTheirsBeDead { return true }
                mayOursBeDead = true
            case (.another, .first):
                if !mayOursBeDead { return false }
                mayTheirsBeDead = true
            case (.unknown, .another):
                if entry == .doubtful, epoch < base { return true }
                mayOursBeDead = byOrder
            case (.another, .unknown): mayTheirsBeDead = byOrder
            case (.another, .another) where byOrder && !mayTheirsBeDead && !mayOursBeDead:
                // The first of all was made on a branch that is already dead. They were of one branch up to here, and
                // the earlier one counts.
                guard let their = step(of: other, at: epoch), let our = step(of: ours, at: epoch), their != our
                else { continue }
                return their.place < our.place
            default: continue
            }
        }
        return nil
    }

    /// The last epoch at which two branches came by the same commit: up to there they are one.
    private func lastShared(_ a: Branch, _ b: Branch) -> UInt64? {
        commits.last { commit in
            [a, b].allSatisfy { branch in
                commit.epoch + 1 == branch.epoch
                    ? commit.tag == branch.tag : commit.epoch < branch.epoch && branch.leaves.contains(commit.leaf)
            }
        }?.epoch
    }

    /// Whether the log says something against the branch by which we joined that it does not say against another one.
    ///
    /// - Parameter base: the epoch at which we joined.
    func speaks(against ours: Branch, not other: Branch, base: UInt64) -> Bool {
        let shared = lastShared(other, ours)
        return epochs.contains { epoch in
            if epoch > base || shared.map({ epoch <= $0 }) ?? false { return false }
            return way(of: ours, at: epoch, byOrder: true) == .another
                && way(of: other, at: epoch, byOrder: true) != .another
        }
    }

    /// Whether a branch cannot come from where we were, as a member who saw every commit since `epoch`.
    ///
    /// - Parameter present: the epoch we are in.
    func refutes(_ branch: Branch, since epoch: UInt64, present: UInt64) -> Bool {
        if commits.contains(where: { $0.isValid && $0.epoch >= epoch && way(of: branch, at: $0.epoch) == .another }) {
            return true
        }
        let refused = self[present].filter(\.isRefused)
        if refused.contains(where: { $0.epoch + 1 == branch.epoch && $0.tag == branch.tag }) { return true }
        if refused.contains(where: { branch.leaves.contains($0.leaf) }) { return true }
        // Nothing leads there except what someone did who is on another branch.
        let strays = Set(refused.compactMap(\.author))
        let between = commits.filter { $0.epoch >= present && $0.epoch < branch.epoch }
        let isUnbroken = Set(between.map(\.epoch)).count == Int(clamping: branch.epoch - min(branch.epoch, present))
        return isUnbroken && between.allSatisfy { $0.isRefused || $0.author.map(strays.contains) ?? false }
    }
}

extension CommitLog {
    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        while !reader.isAtEnd {
            var commit = LoggedCommit(epoch: try reader.read(), tag: try reader.readOpaque())
            if version > 1 {
                let flags: UInt8 = try reader.read()
                commit.isValid = flags & 1 != 0
                commit.isOurs = flags & 2 != 0
                commit.hasReferences = flags & 4 != 0
                commit.isRefused = flags & 16 != 0
                commit.isKept = flags & 32 != 0
                commit.isSigned = flags & 64 != 0
                if flags & 8 != 0 { commit.author = try reader.read() }
                commit.place = LoggedCommit.Place(era: try reader.read(), sequence: try reader.read())
                commit.leaf = try reader.readOpaque()
                var inner = try reader.readSubReader()
                while !inner.isAtEnd { commit.clears.append(try inner.read()) }
                inner = try reader.readSubReader()
                while !inner.isAtEnd { commit.replaced.append(try inner.readRaw(Self.markLength)) }
            }
            commits.append(commit)
        }
    }

    func encode(to writer: inout TLSWriter) {
        for commit in commits {
            writer.write(commit.epoch)
            writer.writeOpaque(commit.tag)
            let flags: [(Bool, UInt8)] = [
                (commit.isValid, 1), (commit.isOurs, 2), (commit.hasReferences, 4), (commit.author != nil, 8),
                (commit.isRefused, 16), (commit.isKept, 32),
                (commit.isSigned, 64),
            ]
            writer.write(flags.reduce(UInt8(0)) { $1.0 ? $0 | $1.1 : $0 })
            if let author = commit.author { writer.write(author) }
            writer.write(commit.place.era)
            writer.write(commit.place.sequence)
            writer.writeOpaque(commit.leaf)
            writer.writeVector { inner in for leaf in commit.clears { inner.write(leaf) } }
            writer.writeVector { inner in for mark in commit.replaced { inner.writeRaw(mark) } }
        }
    }
}
