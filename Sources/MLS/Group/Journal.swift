/// Which records of a group differ from what was last taken for storage.
struct Journal: Sendable {
    /// Nothing has been taken yet, so everything is new and nothing needs to be tracked.
    private var isFresh = true
    private var touched: Set<RecordKey> = []
    private var closedEpochs: Set<UInt64> = []
    private var closedAside = false

    /// The journal of a group that has just been restored from its records.
    static var clean: Journal {
        var journal = Journal()
        journal.isFresh = false
        return journal
    }

    mutating func touch(_ key: RecordKey) {
        if !isFresh { touched.insert(key) }
    }

    mutating func touch(_ step: SecretTree.Step, epoch: UInt64) {
        if isFresh { return }
        for key in RecordKey.touched(by: step, epoch: epoch) { touched.insert(key) }
    }

    /// All records of an epoch are gone.
    mutating func close(epoch: UInt64) {
        if isFresh { return }
        touched = touched.filter { $0.epoch != epoch }
        closedEpochs.insert(epoch)
    }

    /// All proposals that are aside are gone.
    mutating func closeAside() {
        if isFresh { return }
        touched = touched.filter { if case .asideProposal = $0 { false } else { true } }
        closedAside = true
    }

    enum Taken {
        case everything
        case some(touched: Set<RecordKey>, closedEpochs: Set<UInt64>, closedAside: Bool)
    }

    mutating func take() -> Taken {
        defer { self = .clean }
        return isFresh ? .everything : .some(touched: touched, closedEpochs: closedEpochs, closedAside: closedAside)
    }
}
