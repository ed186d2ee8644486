import ConclaveProtocol
import Foundation

/// The latest events, for readers who come back.
///
/// Event ids increase by one within a run of the server and are larger in each later run. Written in decimal, an id is
/// also the cursor of long-polling: it stands for everything up to its event.
struct RecentEvents: Sendable {
    struct Entry: Sendable {
        let id: UInt64
        /// A serialized `ServerEvent`.
        let bytes: Data
        fileprivate(set) var addressees: Set<ID>

        /// In the event-stream format.
        var frame: String { "id: \(id)\ndata: \(hexEncode(bytes))\n\n" }
    }

    /// What to tell a reader who comes back.
    struct News {
        /// The minimum number of lost events, whoever they were for.
        var missed: UInt64 = 0
        /// The events after the loss, in order.
        var entries: [Entry] = []
    }

    private(set) var lastID: UInt64
    private let firstID: UInt64
    private var entries: [Entry] = []
    /// Index of the oldest entry still kept; what is before it is dropped in bulk.
    private var head = 0
    private var addressees = 0

    /// `boot` differs for every run of the server on one database.
    init(boot: UInt64) {
        firstID = boot << 32
        lastID = firstID
    }

    /// Numbers an event and keeps it for a while.
    mutating func append(_ event: AddressedEvent) -> Entry {
        lastID += 1
        let entry = Entry(id: lastID, bytes: event.bytes, addressees: Set(event.addressees))
        entries.append(entry)
        addressees += entry.addressees.count
        while entries.count - head > 1
            && (entries.count - head > ServerLimits.recentEvents || addressees > ServerLimits.recentAddressees)
        {
            addressees -= entries[head].addressees.count
            entries[head].addressees = []
            head += 1
        }
        if head > ServerLimits.recentEvents {
            entries.removeFirst(head)
            head = 0
        }
        return entry
    }

    /// What there was for `user` after the event with the id `cursor`, at most `limit` events.
    func news(for user: ID, after cursor: String, limit: Int = .max) -> News {
        guard let last = UInt64(cursor), last >= firstID, last <= lastID else {
            // From an earlier run, or not one of our ids: how much was missed is unknown.
            return News(missed: 1)
        }
        // Ids have no gaps, so the first one to look at is found by counting.
        let kept = entries[head...]
        let dropped = lastID - UInt64(kept.count)
        let start = kept.startIndex + Int(max(last, dropped) - dropped)
        return News(
            missed: max(last, dropped) - last,
            entries: Array(kept[start...].lazy.filter { $0.addressees.contains(user) }.prefix(limit)))
    }
}
