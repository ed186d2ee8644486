import ConclaveProtocol
import MLS

/// The MLS states in memory, the most recently used last.
struct GroupCache: Sendable {
    private var groups: [ID: Group] = [:]
    private var order: [ID] = []

    /// Takes the group out, so that changing it copies nothing. Put it back with ``put(_:_:)``.
    mutating func take(_ id: ID) -> Group? {
        order.removeAll { $0 == id }
        return groups.removeValue(forKey: id)
    }

    mutating func put(_ id: ID, _ group: Group) {
        order.removeAll { $0 == id }
        order.append(id)
        groups[id] = group
    }

    mutating func remove(_ id: ID) { _ = take(id) }

    mutating func removeAll() {
        groups = [:]
        order = []
    }

    mutating func trim(to count: Int) {
        while order.count > count { groups[order.removeFirst()] = nil }
    }
}

extension ClientCore {
    /// The MLS state of a group, from memory or from the store; nil if there is none. Give it back with
    /// ``keep(_:_:_:)``.
    mutating func takeGroup(_ id: ID, _ turn: Turn) throws -> Group? {
        if let cached = groups.take(id) { return cached }
        // Group states are written only by `keep`, which leaves them in the cache, so the store's records are current
        // here. The exception is proposals, which stay in the store: they are looked up when a commit refers to them.
        let left = id.bytes + Group.storedProposals
        let records =
            try turn.draft.page(.groupState, from: id.bytes, below: left)
            + turn.draft.page(
                .groupState, from: Record.key(afterPrefix: left) ?? left, below: Record.key(afterPrefix: id.bytes))
        if records.isEmpty { return nil }
        do {
            return try Group.restore(
                records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: crypto,
                configuration: .room)
        } catch {
            throw StoreError(.corrupt, "the stored keys of a group are damaged (\(error.code.rawValue))")
        }
    }

    /// Writes what changed in the group's state, and keeps it in memory.
    mutating func keep(_ id: ID, _ group: Group, _ turn: inout Turn) {
        var group = group
        for change in group.takeStateChanges(leavingProposalsInStore: true) {
            switch change {
            case .put(let key, let value): turn.draft.put(.groupState, id.bytes + key, value)
            case .delete(let key): turn.draft.delete(.groupState, id.bytes + key)
            case .deletePrefix(let prefix): turn.draft.deleteAll(.groupState, prefix: id.bytes + prefix)
            }
        }
        groups.put(id, group)
    }

    /// Opens a handshake message of a group. Proposals that a commit refers to are read from the store.
    ///
    /// - Throws: what is wrong with the message.
    func process(_ message: [UInt8], in group: OpenGroup, _ turn: Turn) throws -> Incoming {
        guard let state = group.state else { throw MLSError(.invalidState, "the keys of this group are missing") }
        let id = group.id
        var failure: StoreError?
        do {
            // Lifetimes are for the committer to judge (RFC 9420 §7.3). It takes its own commit however late that comes
            // back, and readers who judged a key package expired by then would stay behind on another branch.
            return try state.process(message, now: nil) { key throws(MLSError) in
                do throws(StoreError) {
                    return try turn.draft.value(.groupState, id.bytes + key)
                } catch {
                    failure = error
                    throw MLSError(.invalidState, "the store cannot be read")
                }
            }
        } catch {
            // A failure of the disk is not the message's fault.
            if let failure { throw failure }
            throw error
        }
    }

    /// Reads from the group's state without changing it.
    mutating func withGroup<R>(_ id: ID, _ turn: Turn, _ body: (Group) throws -> R) throws -> R? {
        guard let group = try takeGroup(id, turn) else { return nil }
        defer { groups.put(id, group) }
        return try body(group)
    }

    /// Deletes all keys of a group, and every staged commit.
    mutating func wipeState(_ id: ID, _ turn: inout Turn) throws {
        groups.remove(id)
        turn.draft.deleteAll(.groupState, prefix: id.bytes)
        turn.draft.deleteAll(.staged, prefix: id.bytes)
        turn.draft.deleteAll(.inbox, prefix: id.bytes)
        lanes.backlog.removeValue(forKey: id)
    }
}
