import ConclaveProtocol

/// How rows leave the log.
extension ModelServer {
    /// Expiry removes rows from the log. The numbers go on.
    mutating func expire(_ group: ID, where isOver: (Row) -> Bool = { _ in true }) {
        groups[group]!.log.removeAll(where: isOver)
    }

    /// A member has fetched everything up to `sequence`, as far as the server knows.
    mutating func acknowledge(_ sequence: UInt64, by user: ID, in group: ID) {
        guard deletesWhatAllHave else { return }
        acknowledged[group, default: [:]][user] = max(sequence, acknowledged[group]?[user] ?? 0)
        let all = groups[group]!.members.map { acknowledged[group]?[$0] ?? 0 }.min() ?? 0
        expire(group) { $0.sequence <= all }
    }
}
