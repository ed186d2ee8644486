/// Whether archives that go on from each other are all there.
public enum ArchiveChain {
    /// What is wrong between archives, or worth knowing.
    public enum Finding: Hashable, Sendable {
        /// This archive goes on from one that is not among them.
        case missing(previous: String, of: String)
        /// The same archive is there more than once.
        case doubled(String)
        /// Several archives go on from the same one.
        case forked(at: String, into: [String])
        /// What an archive says it begins behind is not where the one before it ends.
        case unfit(String)
        /// An archive is another account's than the first one's.
        case otherAccount(String)
        /// An archive is signed with another key than the one it goes on from: after a new login of its account, or by somebody else.
        case otherKey(String)
        /// Not one chain: these archives go on from none.
        case severalBeginnings([String])
    }

    /// - Parameter archives: with the trailers they were read from, in any order.
    /// - Returns: the archives from the first on, as far as they hang together, and the findings; none where all is whole.
    public static func check(_ archives: [(end: ArchiveEnd, trailer: ArchiveTrailer)]) -> (
        order: [String], findings: [Finding]
    ) {
        var findings: [Finding] = []
        var known: [String: (end: ArchiveEnd, trailer: ArchiveTrailer)] = [:]
        for archive in archives where known.updateValue(archive, forKey: archive.end.id) != nil {
            findings.append(.doubled(archive.end.id))
        }
        let ordered = known.values.sorted { ($0.end.newest ?? 0, $0.end.id) < ($1.end.newest ?? 0, $1.end.id) }
        var followers: [String: [String]] = [:]
        for archive in ordered {
            if archive.end.account != ordered[0].end.account { findings.append(.otherAccount(archive.end.id)) }
            guard let previous = archive.end.previous else { continue }
            followers[previous, default: []].append(archive.end.id)
            guard let before = known[previous] else {
                findings.append(.missing(previous: previous, of: archive.end.id))
                continue
            }
            if ArchiveTrailer.list(before.end.last) != archive.trailer.starts {
                findings.append(.unfit(archive.end.id))
            }
            if before.end.signer != archive.end.signer { findings.append(.otherKey(archive.end.id)) }
        }
        let beginnings = ordered.filter { $0.end.previous == nil }.map(\.end.id)
        if beginnings.count > 1 { findings.append(.severalBeginnings(beginnings)) }
        for (previous, into) in followers.sorted(by: { $0.key < $1.key }) where into.count > 1 {
            findings.append(.forked(at: previous, into: into))
        }
        var order: [String] = []
        var rest = ordered.filter { $0.end.previous.flatMap { known[$0] } == nil }.map(\.end.id)
        while let next = rest.popLast() {
            // An archive that goes on from itself would go on for ever.
            if order.contains(next) { continue }
            order.append(next)
            rest += (followers[next] ?? []).reversed()
        }
        return (order, findings)
    }
}
