import Foundation

/// Three people, one group, and a network that goes and comes back at the worst moments.
struct Story {
    private let people: [Person]
    private let server: Server
    private let network: Network
    private var written: [String: [String]] = [:]

    private var alice: Person { people[0] }
    private var bob: Person { people[1] }
    private var carol: Person { people[2] }

    init(_ programs: Programs, on stage: Stage) throws {
        people = ["alice", "bob", "carol"].map { Person(name: $0, program: programs.waxwing, stage: stage) }
        server = Server(programs.waxwingd, on: stage)
        network = try Network()
    }

    mutating func play() throws {
        try meet()
        try loseTheServer()
        try writeInTheDark()
        try dieInTheMiddle()
        try rotateAtOnce()
        try catchUp()
        try check()
    }

    // MARK: Scenes

    private func meet() throws {
        Narrator.scene("The server starts; three people make a group")
        try network.restore(server: server.start())
        Narrator.tell("waxwingd --ordering open, reached through 127.0.0.1:\(network.port)")
        for person in people {
            try person.run(
                "register", person.name, "--server", "http://127.0.0.1:\(network.port)", "--password-file", "-",
                input: "a password for \(person.name)\n")
        }
        try alice.run("group", "create", "lunch")
        try alice.run("invite", "lunch", "bob", "carol")
        for invitee in [bob, carol] {
            try invitee.run("sync")
            try invitee.run("accept", "lunch")
            // Everyone who joins moves the epoch on: the invites that are still out are escrowed again.
            try alice.run("sync")
        }
        for person in people { try person.run("sync") }
    }

    private func loseTheServer() throws {
        Narrator.scene("The server goes away (SIGKILL), and the network with it")
        network.cut()
        server.kill()
    }

    private mutating func writeInTheDark() throws {
        Narrator.scene("Alice and bob write all the same")
        for text in [
            "Is anybody there?", "I'll just go on writing.", "The fountain at noon?", "Bring bread.", "And cheese.",
            "And somebody who can open a bottle.",
        ] {
            try write(text, by: alice)
        }
        for text in ["No bars here either.", "Noon is fine.", "I have the bread.", "Who has the cheese?"] {
            try write(text, by: bob)
        }
        try alice.run("outbox", "list")
        let waiting = try alice.ask("outbox", "list", each: Waiting.self)
        guard waiting.map({ $0.text ?? "" }) == written["alice"], waiting.allSatisfy({ $0.state == "queued" }) else {
            throw Trouble("alice's outbox does not hold what she wrote")
        }
    }

    private mutating func write(_ text: String, by person: Person) throws {
        try person.run("send", "lunch", text)
        written[person.name, default: []].append(text)
    }

    private func dieInTheMiddle() throws {
        Narrator.scene("The server is back; alice's process is killed in the middle of sending")
        try network.restore(server: server.start())
        network.fallSilent(afterMessages: 3)
        let sync = try alice.start(["sync"])
        try network.waitForSilence()
        sync.kill()
        let (code, _) = try alice.finish(sync)
        guard code == nil else { throw Trouble("alice's sync ended before it could be killed") }
        Narrator.tell("alice $ waxwing sync")
        Narrator.tell("    Killed: her third message is in the server's log, and she has not heard of it.")
        try alice.run("outbox", "list")
    }

    private mutating func rotateAtOnce() throws {
        Narrator.scene("Bob and carol change the keys at the same moment")
        network.gather(commits: 2)
        let arguments = ["group", "rotate", "lunch", "--wait", "60"]
        let runs = try [bob, carol].map { ($0, try $0.start(arguments)) }
        for (person, run) in runs {
            let (code, output) = try person.finish(run)
            Narrator.command(person.name, arguments, output: output)
            guard code == 0 else { throw Trouble("\(person.name) could not change the keys") }
        }
        guard network.gatheredCommits == 2 else { throw Trouble("the two commits did not meet on the way") }
        let commits = try ServerLog(server.database).commits
        let contested = commits.filter { commit in commits.contains { $0.epoch == commit.epoch && $0 != commit } }
        guard contested.count == 2, Set(contested.map(\.sender)) == ["bob", "carol"] else {
            throw Trouble("the server did not take two commits for one epoch: \(commits)")
        }
        let again = commits.filter { $0.epoch > contested[1].epoch }
        for commit in contested + again {
            let fate =
                again.contains(commit)
                ? "the loser's wish, built anew" : commit == contested[0] ? "decides the epoch" : "too late: dead"
            Narrator.tell(
                "server's log, row \(commit.sequence): \(commit.sender)'s commit for epoch \(commit.epoch) — \(fate)")
        }
        guard again.map(\.sender) == [contested[1].sender] else {
            throw Trouble("the loser's wish was not carried out: \(commits)")
        }
    }

    private mutating func catchUp() throws {
        Narrator.scene("Alice starts again; everyone catches up")
        try alice.run("sync")
        try write("I have it. See you there.", by: carol)
        for person in people { try person.run("sync") }
    }

    // MARK: The end

    private func check() throws {
        Narrator.scene("What all three read, from the moment all were members")
        let histories = try people.map { try $0.ask("read", "lunch", "--all", each: Line.self) }
        guard let start = histories[0].last(where: \.isJoin)?.sequence else { throw Trouble("nobody joined") }
        let shared = histories.map { lines in lines.filter { ($0.sequence ?? .max) >= start } }
        let transcript = try alice.finish(alice.start(["read", "lunch", "--since", "\(start - 1)"]))
        Narrator.quote(transcript.output)

        Narrator.scene("Is it so?")
        guard shared.allSatisfy({ $0 == shared[0] }) else { throw Trouble("the histories differ: \(shared)") }
        Narrator.checked("the three histories are equal, \(shared[0].count) lines each")

        for line in histories.joined() where line.kind == "unreadable" || line.sequence == nil {
            throw Trouble("a line is not as it should be: \(line)")
        }
        for person in people {
            let texts = shared[0].filter { $0.kind == "message" && $0.sender == person.name }.map { $0.text ?? "" }
            guard texts == written[person.name] else {
                throw Trouble("what \(person.name) wrote is not there exactly once, in order: \(texts)")
            }
        }
        let count = written.values.reduce(0) { $0 + $1.count }
        Narrator.checked("each of the \(count) messages is there exactly once, in its writer's order")

        let keys = try people.flatMap { try $0.ask("group", "show", "lunch", each: Keys.self) }
        guard keys.count == 3, keys.allSatisfy({ $0 == keys[0] && !$0.epochAuthenticator.isEmpty }) else {
            throw Trouble("the epoch authenticators differ: \(keys)")
        }
        Narrator.checked(
            "epoch \(keys[0].epoch), epoch authenticator \(keys[0].epochAuthenticator.prefix(16))… for all")

        for person in people {
            let waiting = try person.ask("outbox", "list", "--all", each: Waiting.self)
            guard waiting.isEmpty else { throw Trouble("\(person.name)'s outbox is not empty: \(waiting)") }
        }
        Narrator.checked("the three outboxes are empty")
    }
}

/// A line of `waxwing read --json`, without what differs between readers.
private struct Line: Decodable, Equatable {
    struct Event: Decodable, Equatable {
        let kind: String
        let actor: String
        let subject: String
    }

    let kind: String
    let sequence: UInt64?
    let sender: String
    let digest: String?
    let text: String?
    let events: [Event]?

    var isJoin: Bool { events?.contains { $0.kind == "joined" } ?? false }
}

/// A line of `waxwing outbox list --json`.
private struct Waiting: Decodable {
    let what: String
    let text: String?
    let state: String
}

/// What `waxwing group show --json` says about the group's keys.
private struct Keys: Decodable, Equatable {
    let epoch: UInt64
    let epochAuthenticator: String
}
