import ConclaveProtocol
import Synchronization
import WaxwingClient
import WaxwingCore

/// Remembers whose new keys were shown on the screen; messages that waited only for that may leave.
final class MemberNews: Sendable {
    private let told = Mutex<[ID: [ID: UInt64]]>([:])

    var hasSome: Bool { told.withLock { !$0.isEmpty } }

    /// Called when a row of a group's history was printed.
    func printed(_ row: HistoryRow, in group: ID) {
        guard case .system(let events) = row.content else { return }
        for event in events where [.deviceReplaced, .identityChanged, .joined].contains(event.kind) {
            note(event.subject, epoch: row.epoch + 1, in: group)
        }
    }

    /// Called when a member who holds messages was explained.
    func explained(_ leaf: RoomRecord.Leaf, in group: ID) {
        note(leaf.user, epoch: leaf.epoch, in: group)
    }

    private func note(_ user: ID, epoch: UInt64, in group: ID) {
        told.withLock { told in
            let known = told[group]?[user] ?? 0
            told[group, default: [:]][user] = max(known, epoch)
        }
    }

    /// Records in the profile what was shown.
    ///
    /// - Parameter client: opened only if messages wait for it.
    func note(_ reader: AccountReader, _ client: () throws -> Client) async throws {
        let told = told.withLock { told in
            defer { told = [:] }
            return told
        }
        for (group, users) in told.sorted(by: { $0.key < $1.key }) {
            let waiting = try reader.room(group)?.leaves.contains {
                $0.standing == .untold && users[$0.user] ?? 0 >= $0.epoch
            }
            if waiting == true { try await client().perform(.toldOfMembers(group: group, users)) }
        }
    }
}
