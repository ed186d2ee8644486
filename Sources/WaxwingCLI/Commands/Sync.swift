import ArgumentParser
import Waxwing
import WaxwingCore

struct Sync: Action {
    static let configuration = CommandConfiguration(
        abstract: "Fetch what is new, send what waits, and exit.",
        discussion: """
            If the server asks to wait, no command sends anything until that time is over; the exit code is 19. With \
            --now, the server is asked anyway.

            Example:
              waxwing sync
              waxwing sync --now
            """)

    @Flag(help: "Ask the server even if it asked to wait.")
    var now = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let tally = Tally()
        let account = try profile.open(in: surroundings) { tally.take($0) }
        let ending = try await Connection.run(account, live: false, until: .settled, atOnce: now)
        let list = try OutboxList(account.reader, now: surroundings.now())
        switch ending {
        case .elsewhere:
            if output.json {
                Console.print(try JSON.line(SyncView("elsewhere", tally.counts, list)))
            } else {
                Console.print("another process is connected with this profile and keeps it up to date")
            }
        case .signedOut:
            throw try Failure.signedOut(account.reader)
        case .cut(let trouble, let next):
            try tell("cut", tally.counts, list)
            var failure =
                trouble.map { Failure($0, clock: surroundings.now) }
                ?? Failure(.unreachable, "the server cannot be reached")
            if let trouble, trouble.isByServer {
                failure.message += "; next try not before \(TimeText.second(next, now: list.words.now))"
                failure.hint = "nothing is lost; `waxwing sync --now` asks it anyway"
            }
            throw failure
        case .reached:
            try tell("reached", tally.counts, list)
            if let row = list.rows.last(where: { $0.isFailed && tally.counts.refused.contains($0.order) }) {
                throw Failure(
                    .refused, "something was refused for good: row \(row.order)",
                    hint: "`waxwing outbox list` tells more; retry or discard it")
            }
            if let trouble = tally.counts.unusable {
                throw try Failure.unusableAnswer(trouble, list.words.names)
            }
        }
    }

    private func tell(_ server: String, _ counts: Tally.Counts, _ list: OutboxList) throws {
        if output.json {
            Console.print(try JSON.line(SyncView(server, counts, list)))
            return
        }
        var parts = [counted(counts.received, "new message"), "\(counts.sent) sent"]
        if counts.carriedOut > 0 { parts.append("\(counts.carriedOut) carried out") }
        if counts.unreadable > 0 { parts.append("\(counts.unreadable) could not be opened") }
        if counts.invites > 0 { parts.append(counted(counts.invites, "new invite")) }
        if counts.keysChanged > 0 { parts.append(counted(counts.keysChanged, "changed identity key")) }
        if !list.rows.isEmpty { parts.append("\(list.rows.count) left") }
        Console.print(parts.joined(separator: ", "))
        if let reached = try list.words.names.reached(counts.reached) { Console.print(reached) }
        for (user, claimed) in counts.claims.sorted(by: { $0.key < $1.key }) {
            Console.print(NameWords.claimed(try list.words.names.username(user), claimed))
        }
        for row in list.rows {
            Console.print("  \(row.order)  \(try list.words.what(row.intent)): \(try list.why(row).words)")
        }
    }
}

/// What a sync did, for scripts.
struct SyncView: Encodable {
    /// reached, cut or elsewhere.
    var server: String
    var received: Int
    var sent: Int
    var carriedOut: Int
    var unreadable: Int
    var invites: Int
    /// Users for whom the server gives another name than before.
    var renamed: [Renamed]
    /// Rows left in the outbox.
    var left: Int
    var failed: Int
    /// How many of those are messages that wait for a person's decision on who is in the group.
    var held: Int

    struct Renamed: Encodable {
        var username: String
        var userID: String
        var claimedName: String
    }

    init(_ server: String, _ counts: Tally.Counts, _ list: OutboxList) throws {
        self.server = server
        received = counts.received
        sent = counts.sent
        carriedOut = counts.carriedOut
        unreadable = counts.unreadable
        invites = counts.invites
        renamed = try counts.claims.sorted { $0.key < $1.key }.map { user, name in
            Renamed(
                username: try list.words.names.username(user), userID: user.description, claimedName: name)
        }
        left = list.rows.count
        failed = list.rows.count(where: \.isFailed)
        held = list.rows.count { $0.state == .held }
    }
}
