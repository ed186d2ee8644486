import Foundation
import Testing

/// Someone at a command line: one profile, and `waxwing` run on it.
struct Person: Hashable, Sendable {
    let name: String
    /// The value of `WAXWING_HOME`.
    let home: String
    /// Which plug-ins this person uses, as `WAXWING_STORE` and `WAXWING_TRANSPORT`; by default those of the whole test
    /// run.
    var plugins: [String: String] = [:]
    /// Where everything this person does is recorded, if anywhere.
    var recording: String?
    /// The clock on this person's wall; the right one if there is none.
    var clock: FakeClock?

    static let password = "correct horse battery"

    /// A run of `waxwing` that is over.
    struct Run: Sendable {
        var exit: ChildProcess.Exit
        var output: String
        var errors: String

        var status: Int32 { exit.status }

        /// The objects that a run with `--json` printed, one on each line.
        func json<Value: Decodable>(_ type: Value.Type) throws -> [Value] {
            try output.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
        }
    }

    init(_ name: String, folder: String) throws {
        self.name = name
        home = folder + "/" + name
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try Data((Self.password + "\n").utf8).write(to: URL(fileURLWithPath: passwordFile))
    }

    var passwordFile: String { home + "/password" }

    // MARK: Running

    /// Starts `waxwing` and leaves it running.
    ///
    /// - Parameters:
    ///   - wrapper: a command that the program is given to, such as a shell that sets limits.
    ///   - terminal: the descriptor of a terminal for standard error.
    func start(
        _ arguments: [String], input: String = "", wrapper: [String] = [], terminal: Int32? = nil,
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let recorder = recording.map { ["record", $0, "--"] } ?? []
        let command = wrapper + [Programs.waxwing] + recorder + arguments
        let base = Programs.environment.merging(Programs.plugins) { $1 }.merging(plugins) { $1 }
            .merging(clock?.environment ?? [:]) { $1 }.merging(["WAXWING_HOME": home]) { $1 }
        return try ChildProcess(
            command[0], Array(command.dropFirst()), environment: base.merging(environment) { $1 }, input: input,
            terminal: terminal, folder: home)
    }

    /// Runs `waxwing` to its end, whatever that is; only a crash is never right.
    func attempt(
        _ arguments: String..., input: String = "", wrapper: [String] = [], environment: [String: String] = [:],
        within seconds: Double = 90
    ) async throws -> Run {
        let process = try start(arguments, input: input, wrapper: wrapper, environment: environment)
        let exit = try await process.exit(within: seconds)
        #expect(exit.status >= 0, "`\(process.command)` was ended by signal \(-exit.status): \(process.errors)")
        return Run(exit: exit, output: process.output, errors: process.errors)
    }

    /// Runs `waxwing` and expects success.
    @discardableResult
    func run(_ arguments: String..., input: String = "", within seconds: Double = 90) async throws -> Run {
        let process = try start(arguments, input: input)
        let exit = try await process.exit(within: seconds)
        guard exit.status == 0 else {
            throw ChildProcess.Failure(
                description:
                    "\(name): `\(process.command)` ended with \(exit.status): \(process.output)\(process.errors)")
        }
        return Run(exit: exit, output: process.output, errors: process.errors)
    }

    func register(at url: String, _ options: String...) async throws {
        let process = try start(
            ["register", name, "--server", url, "--password-file", passwordFile] + options)
        let exit = try await process.exit()
        guard exit.status == 0 else {
            throw ChildProcess.Failure(description: "\(name) cannot register: \(exit.status) \(process.errors)")
        }
    }

    /// At once: no one here waits until a server that was in trouble may be asked again.
    func sync() async throws { try await run("sync", "--now") }

    /// Writes a message. If someone joined with a new key, the command says so and holds it until the next sync.
    func write(_ text: String, to group: String = "room") async throws {
        let run = try await attempt("send", group, text)
        #expect(run.status == 0 || run.status == 21, "\(name): \(run.output)\(run.errors)")
    }

    // MARK: What this person sees

    func history(_ group: String) async throws -> [HistoryLine] {
        try await run("read", group, "--all", "--json").json(HistoryLine.self)
    }

    /// The texts that `sender` sent, in the order shown; all texts if it is nil.
    func texts(_ group: String, from sender: Person? = nil) async throws -> [String] {
        try await history(group).filter { sender == nil || $0.sender == sender?.name }.compactMap(\.text)
    }

    func details(_ group: String) async throws -> GroupDetails {
        try #require(try await run("group", "show", group, "--json").json(GroupDetails.self).first)
    }

    /// All rows, including those that no one asked for.
    func outbox() async throws -> [OutboxLine] {
        try await run("outbox", "list", "--all", "--json").json(OutboxLine.self)
    }
}

/// A line of `read --json`.
struct HistoryLine: Decodable, Hashable, Sendable {
    struct Event: Decodable, Hashable, Sendable {
        var kind: String
        var actor: String
        var subject: String
        var actorID: String
        var subjectID: String
        var count: UInt32?
    }

    var kind: String
    var sequence: UInt64?
    var sender: String
    var senderID: String
    var epoch: UInt64
    var generation: UInt32?
    var messageID: String?
    var digest: String?
    var text: String?
    var events: [Event]?
    var reason: String?
    var state: String?
}

/// What `group show --json` prints.
struct GroupDetails: Decodable, Hashable, Sendable {
    struct Member: Decodable, Hashable, Sendable {
        var username: String
        var inTree: Bool
        var onRoster: Bool
        var fingerprint: String?
    }

    var status: String
    var groupID: String
    var epoch: UInt64
    var cursor: UInt64
    var epochAuthenticator: String?
    var members: [Member]
    var invited: [String]
}

/// A line of `outbox list --json`.
struct OutboxLine: Decodable, Hashable, Sendable {
    var outbox: UInt64
    var group: String
    var kind: String
    var text: String?
    var state: String
    var why: String
    var attempts: UInt32
}
