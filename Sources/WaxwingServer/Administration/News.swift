import ConclaveProtocol
import Foundation
import GRDB
import ServiceLifecycle

/// What an operator's command did beside a running server: the server's readers are told a moment later.
extension Transaction {
    /// Leaves this transaction's events, and the ends of streams, for the server.
    func leaveNews() throws {
        for event in events {
            try execute(
                "INSERT INTO news (event, addressees) VALUES (?, ?)",
                [event.bytes, Data(event.addressees.flatMap(\.bytes))])
        }
        for case .user(let user) in endedStreams {
            try execute("INSERT INTO news (event, addressees) VALUES (NULL, ?)", [user.blob])
        }
    }

    /// Takes what was left: events in their order, then users whose streams end.
    func takeNews() throws -> (events: [AddressedEvent], ended: [EventReader.Owner]) {
        var (events, ended) = ([AddressedEvent](), [EventReader.Owner]())
        for row in try rows("DELETE FROM news RETURNING event, addressees") {
            let addressees = try row.data(1)
            let users = stride(from: 0, to: addressees.count, by: 16).compactMap {
                ID(addressees.dropFirst($0).prefix(16))
            }
            if let bytes: Data = row[0] {
                events.append(AddressedEvent(bytes: bytes, addressees: users))
            } else {
                ended += users.map { .user($0) }
            }
        }
        return (events, ended)
    }
}

/// Looks for news every second.
struct NewsReader: Service {
    let store: ServerStore

    func run() async throws {
        await store.repeats("reading news", every: ServerLimits.newsSeconds, read)
    }

    func read() async throws {
        guard try await store.read({ try $0.exists("SELECT 1 FROM news") }) else { return }
        let (events, ended) = try await store.write { try $0.takeNews() }
        store.bus.publish(events)
        store.bus.end(ended)
    }
}
