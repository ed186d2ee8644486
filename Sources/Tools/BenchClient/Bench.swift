import Foundation
import MLSOpenSSL
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// What catching up and sending cost, each next to its floor in the same run.
struct Bench {
    private static let offlineSends = 300
    private static let processes = 20
    /// Members of a large group, and commits that each add one more.
    private static let members = 1_000
    private static let commits = 40

    /// How many messages to catch up on.
    private let messages: Int
    private let folder: URL
    private let waxwing: URL
    private let server = Process()

    init(messages: Int) throws {
        self.messages = messages
        let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        waxwing = programs.appending(path: "waxwing")
        folder = FileManager.default.temporaryDirectory.appending(path: "waxwing-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        server.executableURL = programs.appending(path: "waxwingd")
    }

    func clear() {
        if server.isRunning {
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            FileHandle.standardError.write(Data("bench-client: \(folder.path) is left behind: \(error)\n".utf8))
        }
    }

    func run() async throws {
        let address = try startServer()
        let home = folder.appending(path: "people")
        let alice = try await Account("alice", server: address, home: home)
        let bob = try await Account("bob", server: address, home: home)
        try await meet(alice, bob)
        try await measureCatchUp(alice, bob)
        try await measureTreeComparison(alice, server: address, home: home)
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try await measureSend(bob, home: home)
    }

    // MARK: Catching up

    private func measureCatchUp(_ alice: Account, _ bob: Account) async throws {
        let group = try alice.group("bench")
        let sending = try await Cost.of {
            for number in 0..<messages {
                try await alice.client.perform(.send(group: group, text: "Message \(number) of a long day away"))
            }
            try await alice.sync()
        }
        say("sending", sending, count: messages, of: "messages")

        let catchUp = try await Cost.of { try await bob.sync() }
        let last = try bob.client.reader.lastHistory(bob.group("bench"), limit: 1).last?.row
        guard last?.content == .text("Message \(messages - 1) of a long day away") else {
            throw Trouble("bob has not read everything")
        }
        let floor = try await Floors.verifyAndOpen(messages)
        say("catching up", catchUp, count: messages, of: "messages")
        say("bare verify + open", floor, count: messages, of: "messages")
        let share = 100 * floor.wall / catchUp.wall
        print("catching up reaches \(share.rounded(to: 1)) % of the bare rate", terminator: "")
        print(" (\((100 * floor.cpu / catchUp.cpu).rounded(to: 1)) % by processor time)\n")
    }

    private func meet(_ alice: Account, _ bob: Account) async throws {
        try await alice.client.perform(.createGroup(name: "bench", alias: ""))
        try await alice.sync()
        try await alice.client.perform(.invite(group: alice.group("bench"), username: "bob"))
        try await alice.sync()
        try await bob.sync()
        for invite in try bob.client.reader.invites() { try await bob.client.perform(.accept(invite: invite.id)) }
        try await bob.sync()
        try await alice.sync()
    }

    // MARK: Comparing the tree

    /// A large group in which each commit adds someone: how much of the work is comparing the whole tree with what was
    /// known.
    private func measureTreeComparison(_ messenger: Account, server: String, home: URL) async throws {
        let carol = try await Account("carol", server: server, home: home)
        let crowd = try await Crowd("crowd", server: server, through: messenger.client)
        try await crowd.fill(to: Self.members - 1)
        try await crowd.invite(carol)
        let group = try carol.group("crowd")
        guard try carol.client.reader.room(group)?.leaves.count == Self.members else {
            throw Trouble("carol is not among \(Self.members)")
        }
        for _ in 0..<Self.commits { try await crowd.add(1) }
        let processing = try await Cost.of { try await carol.sync() }
        guard try carol.client.reader.room(group)?.leaves.count == Self.members + Self.commits else {
            throw Trouble("carol has not followed the commits")
        }
        let store = try SQLiteStore(path: home.appending(path: "carol/store.sqlite").path)
        var core = try ClientCore(store: store, provider: OpenSSLProvider(), entropy: SystemEntropy())
        // The first call reads the keys.
        _ = try core.compareTree(of: group, now: .ofMachine)
        // Written together, as the rows of one page are.
        let comparing = try await Cost.of {
            var all = ChangeSet(base: try store.revision())
            for _ in 0..<Self.commits { all.changes += try core.compareTree(of: group, now: .ofMachine).changes }
            _ = try store.commit(all)
        }
        tell("processing a commit that adds somebody to \(Self.members)", processing, count: Self.commits)
        tell("  of that comparing the tree, and writing it down", comparing, count: Self.commits)
        print("comparing takes \((100 * comparing.cpu / processing.cpu).rounded(to: 1)) % of the processor time\n")
    }

    // MARK: Sending offline

    private func measureSend(_ bob: Account, home: URL) async throws {
        let group = try bob.group("bench")
        let send = try await Cost.of {
            for number in 0..<Self.offlineSends {
                try await bob.client.perform(.send(group: group, text: "Offline message \(number)"))
            }
        }
        let floor = try await Floors.commits(Self.offlineSends, beside: folder)
        let before = Cost.ofChildren()
        let command = try await Cost.of {
            for number in 0..<Self.processes { try runSend("Message \(number) of a process", home: home) }
        }
        let process = Cost(wall: command.wall, cpu: Cost.ofChildren() - before)

        tell("offline send, profile open", send, count: Self.offlineSends)
        tell("offline `waxwing send --queue`", process, count: Self.processes)
        tell("bare SQLite commit", floor, count: Self.offlineSends)
        let bare = floor.cpu / Double(Self.offlineSends)
        let (open, whole) = (send.cpu / Double(Self.offlineSends), process.cpu / Double(Self.processes))
        print(
            "an offline send takes \((open / bare).rounded(to: 1)) times the processor time of a bare commit",
            terminator: "")
        print(", as a whole process \((whole / bare).rounded(to: 1)) times")
    }

    private func runSend(_ text: String, home: URL) throws {
        let process = Process()
        process.executableURL = waxwing
        process.arguments = ["send", "bench", text, "--queue", "--profile", "bob"]
        process.environment = ["WAXWING_HOME": home.path]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Trouble("waxwing send ended with \(process.terminationStatus)")
        }
    }

    // MARK: Server and lines

    private func startServer() throws -> String {
        let output = Pipe()
        server.arguments = ["--data", folder.appending(path: "server").path, "--listen", "127.0.0.1:0"]
        server.standardOutput = output
        try server.run()
        // One line, "waxwingd listening on http://127.0.0.1:PORT".
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let address = line.split(whereSeparator: \.isWhitespace).last, address.hasPrefix("http") else {
            throw Trouble("the server does not start")
        }
        return String(address)
    }

    private func say(_ what: String, _ cost: Cost, count: Int, of things: String) {
        let rate = (Double(count) / cost.wall).rounded(to: 0)
        print(
            "\(what): \(rate) \(things)/s (\(count) in \(cost.wall.rounded(to: 2)) s, "
                + "\(cost.cpu.rounded(to: 2)) s of processor time)")
    }

    private func tell(_ what: String, _ cost: Cost, count: Int) {
        let (cpu, wall) = (cost.cpu / Double(count) * 1000, cost.wall / Double(count) * 1000)
        print("\(what): \(cpu.rounded(to: 3)) ms of processor time, \(wall.rounded(to: 3)) ms on the clock")
    }
}

extension Double {
    fileprivate func rounded(to digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
