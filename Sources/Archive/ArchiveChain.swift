/// Whether a chain of archives is complete.
public enum ArchiveChain {
    /// What is wrong between archives, or worth knowing.
    public enum Finding: Hashable, Sendable {
        /// This archive continues one that is not among them.
        case missing(previous: String, of: String)
        /// The same archive is there more than once.
        case doubled(String)
        /// Several archives continue the same one.
        case forked(at: String, into: [String])
        /// An archive does not begin where the one before it ends.
        case unfit(String)
        /// An archive belongs to another account than the first one.
        case otherAccount(String)
        /// An archive is signed with another key than the one it continues: after a new login of its account, or by
        /// someone else.
        case otherKey(String)
        /// There is more than one chain: these archives continue none.
        case severalBeginnings([String])
    }

    /// - Parameter archives: with the trailers that were read from them, in any order.
    /// - Returns: the archives from the first on, as far as they form a chain, and the findings; none if the chain is
    ///   complete.
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
            // An archive that continues itself would loop forever.
            if order.contains(next) { continue }
            order.append(next)
            rest += (followers[next] ?? []).reversed()
        }
        return (order, findings)
    }
}
