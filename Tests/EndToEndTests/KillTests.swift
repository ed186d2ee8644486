import Foundation
import Testing

extension EndToEnd {
    @Suite struct KillTests {
        /// Kills `waxwing` at 28 moments of its work for each ordering, 56 in all, and checks at the end whether
        /// anything was lost, doubled, or sealed twice under one key. A run that was over before its moment is repeated
        /// with an earlier one.
        @Test(arguments: Server.Ordering.allCases)
        func noMomentIsAWrongOneToDie(_ ordering: Server.Ordering) async throws {
            try await withStage(ordering) { stage in
                let people = try await stage.people("alice", "bob")
                try await stage.room(people)
                var story = Story(people[0], people[1], epoch: try await people[0].details("room").epoch)
                // Fractions of the time that a whole run takes; the two orderings look at different ones.
                let parts = (0..<7).map { (Double($0) + (ordering == .strict ? 0.3 : 0.8)) / 7.5 }
                for act in Story.Act.allCases {
                    let whole = try await story.play(act)
                    for part in parts {
                        var delay = whole * part
                        let before = story.kills
                        for _ in 0..<6 where story.kills == before {
                            try await story.play(act, killedAfter: delay)
                            delay = delay * 0.7
                        }
                    }
                    #expect(story.hits[act, default: 0] >= 6, "\(act) was over before it could be killed")
                }
                #expect(story.kills >= 25, "fifty moments are asked for, with both orderings")
                try await stage.settle(people)
                try await expectConverged(people, sent: story.sent)
                #expect(
                    try await people[0].details("room").epoch == story.epoch,
                    "a rotation was lost, or carried out twice")
            }
        }
    }
}

/// What alice does, and is killed at, while bob stays alive.
private struct Story {
    enum Act: CaseIterable {
        /// A message is queued, and sent.
        case send
        /// What waited in the outbox is sent.
        case flush
        /// Messages of others are fetched and opened.
        case receive
        /// A commit of bob's is merged, then one of alice's own is made, sent, fetched and merged.
        case merge
    }

    private let alice: Person
    private let bob: Person
    /// What has to be read in the end: everything that was ever queued.
    private(set) var sent: [Person: [String]] = [:]
    /// The epoch the group has to be in at the end.
    private(set) var epoch: UInt64
    /// How many runs ended by the signal.
    var kills: Int { hits.values.reduce(0, +) }
    /// The same, for each thing she does.
    private(set) var hits: [Act: Int] = [:]
    private var count = 0

    init(_ alice: Person, _ bob: Person, epoch: UInt64) {
        self.alice = alice
        self.bob = bob
        self.epoch = epoch
    }

    /// - Returns: how long the part took that is there to be killed.
    @discardableResult
    mutating func play(_ act: Act, killedAfter delay: Duration? = nil) async throws -> Duration {
        count += 1
        try await prepare(act)
        let text = "alone \(count)"
        let started = ContinuousClock.now
        let process = try alice.start(act == .send ? ["send", "room", text] : ["sync"])
        if let delay {
            try await Task.sleep(for: delay)
            process.signal(SIGKILL)
        }
        let status = try await process.exit().status
        let duration = ContinuousClock.now - started
        #expect(status == 0 || status == -SIGKILL, "it ended with \(status): \(process.errors)")
        if status == -SIGKILL { hits[act, default: 0] += 1 }
        if act == .send {
            // The disk says whether it was queued; what was reported must be there.
            let isQueued = try await alice.texts("room").contains(text)
            #expect(isQueued || status == -SIGKILL)
            if isQueued { sent[alice, default: []].append(text) }
        }
        try await alice.sync()
        return duration
    }

    private mutating func prepare(_ act: Act) async throws {
        let lines = (0..<3).map { "\(act) \(count).\($0)" }
        let input = lines.joined(separator: "\n")
        switch act {
        case .send: break
        case .flush:
            try await alice.run("send", "room", "--lines", "--queue", input: input)
            sent[alice, default: []] += lines
        case .receive:
            try await bob.run("send", "room", "--lines", input: input)
            sent[bob, default: []] += lines
        case .merge:
            try await bob.run("group", "rotate", "room")
            try await alice.run("group", "rotate", "room", "--queue")
            try await alice.run("send", "room", lines[0], "--queue")
            sent[alice, default: []].append(lines[0])
            epoch += 2
        }
    }
}
