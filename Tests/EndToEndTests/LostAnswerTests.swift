import Foundation
import Synchronization
import Testing

extension EndToEnd {
    @Suite struct LostAnswerTests {
        @Test(arguments: Server.Ordering.allCases)
        func everyMessageArrivesOnceAlthoughItsAnswerIsLost(_ ordering: Server.Ordering) async throws {
            try await withStage(ordering, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                // The reference server does not recognize repeated requests: there, only the client keeps a message
                // from being doubled.
                if ordering == .open { network.hideIdempotencyKeys() }
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)

                // For the first trip of each message to the server.
                let fates: [FaultyProxy.Fate] = [
                    .loseAnswer, .cutAnswer(after: 0.1), .cutAnswer(after: 0.5), .cutAnswer(after: 0.99), .loseAnswer,
                    .cutAnswer(after: 0.9), .loseRequest, .cutAnswer(after: 0.7),
                ]
                var sent: [Person: [String]] = [:]
                for sender in [alice, bob] {
                    let seen = Seen()
                    network.play { request in
                        guard request.isMessage, let number = seen.note(request.body) else { return .pass }
                        return fates[number % fates.count]
                    }
                    for number in fates.indices {
                        let text = "\(sender.name) \(number)"
                        // The same run may find its message in the log, or leave that to the next one.
                        try await sender.run("send", "room", text)
                        sent[sender, default: []].append(text)
                    }
                    #expect(seen.count == fates.count, "not every message met its fate")
                    network.heal()
                }
                try await stage.settle(people)
                try await expectConverged(people, sent: sent)

                let log = try await ServerLog.read("room", as: alice, at: network.port)
                #expect(Set(log.map(\.message)).count == log.count, "the server's log holds something twice")
                let messages = log.count { ServerLog.isApplicationMessage($0) }
                #expect(messages == 2 * fates.count)
            }
        }
    }
}

/// Tells the first time something comes by from all later ones.
private final class Seen: Sendable {
    private let bodies = Mutex<Set<[UInt8]>>([])

    var count: Int { bodies.withLock { $0.count } }

    /// How many came before; nil for what has come before itself.
    func note(_ body: [UInt8]) -> Int? {
        bodies.withLock { bodies in bodies.insert(body).inserted ? bodies.count - 1 : nil }
    }
}
