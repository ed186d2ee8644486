import Machine
import ArgumentParser
import ConclaveProtocol
import FixtureTransport
import FoundationEssentials
import Files
import MLSOpenSSL
import WaxwingClient
import Waxwing

struct ReplayCommand: Action {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay a recording: run its commands again, without a network and without waiting.",
        discussion: """
            The commands work on a profile of their own, which is deleted afterwards. If one does something else than \
            recorded, the replay ends with the line of the recording and what differs. At the end comes a hash of \
            everything in the profile: the same on every run, and for every kind of store.

            A recording may come from a stranger, so a replay runs only commands that work on its own profile: none \
            that names a file, and none that writes anywhere else. A profile that is left with --into can be looked \
            at, but connects to no server: its keys are in the recording.

            Example:
              waxwing replay talk.jsonl
              waxwing replay talk.jsonl --store files
              waxwing replay talk.jsonl --into /tmp/talk
            """)

    @Argument(help: "The recording.")
    var file: String

    @Option(help: "Keep the profile in this kind of store: sqlite or files.")
    var store: StoreKind?

    @Option(help: ArgumentHelp("Leave the profile in this new folder, as its WAXWING_HOME.", valueName: "folder"))
    var into: String?

    @Flag(help: "Print the number of commands and the hash as JSON after what the commands print.")
    var json = false

    func run(in surroundings: Surroundings) async throws {
        let fixture: Fixture
        do { fixture = try Fixture(path: file) } catch { throw Failure(.usage, error.description) }
        try ReplayRules.check(fixture, file)
        let interrupt = Interrupt()
        defer { withExtendedLifetime(interrupt) {} }
        let home = try Home(at: into)
        defer { home.leave() }
        let player: Player
        do {
            player = try Player(fixture) { [file] divergence in
                Console.note("waxwing: the replay leaves \(file) at \(divergence)".onItsLines)
                home.leave()
                Console.leave(ExitStatus.diverged.rawValue)
            }
        } catch {
            throw Failure(.usage, error.description)
        }
        guard case .replay(let recording) = try TransportKind.replay(path: file).absolute() else { return }
        Machine.setEnvironment("WAXWING_HOME", home.path)
        if let store { Machine.setEnvironment("WAXWING_STORE", store.rawValue) }
        let played = Surroundings.played(by: player, from: recording)
        var commands = 0
        while let arguments = player.nextCommand() {
            player.exit(await WaxwingCommand.execute(arguments, in: played))
            commands += 1
            if interrupt.hasCome { throw Failure.interrupted }
        }
        let digests = try home.digests()
        try home.finish(recording, commands: commands)
        if json {
            Console.print(try JSON.line(View(commands: commands, digests: digests)))
        } else {
            Console.note("replayed \(commands) command\(commands == 1 ? "" : "s") as recorded")
            for (profile, digest) in digests.sorted(by: { $0.key < $1.key }) {
                Console.note("  SHA-256 of profile \(profile): \(digest)")
            }
        }
    }

    private struct View: Encodable {
        var commands: Int
        /// Keyed by profile.
        var digests: [String: String]
    }
}

/// The home of a replay's profiles.
private struct Home: Sendable {
    let path: String
    private let isTemporary: Bool

    init(at path: String?) throws {
        isTemporary = path == nil
        if let path {
            do throws(FileError) {
                guard try FileSystem.makeFolder(path) else { throw FileError(path, .fileExists) }
            } catch {
                throw Failure(.usage, "\(path) cannot be made: \(error.reason)")
            }
            self.path = path
            return
        }
        do throws(FileError) {
            self.path = try FileSystem.makeTemporaryFolder(
                prefix: FileManager.default.temporaryDirectory.path + "/waxwing-replay-")
        } catch {
            throw Failure(.other, "no temporary folder can be made: \(error.reason)")
        }
    }

    private func profiles() throws -> [Profile] {
        try FileManager.default.contentsOfDirectory(atPath: path).map { Profile(name: $0, folder: path + "/" + $0) }
            .filter { try $0.exists() }
    }

    /// If the profile stays, later commands find it at the end of the recording.
    func finish(_ recording: String, commands: Int) throws {
        if isTemporary { return }
        for profile in try profiles() { try Rehearsal.finish(profile, recording, commands: commands) }
    }

    func digests() throws -> [String: String] {
        var digests: [String: String] = [:]
        for profile in try profiles() {
            digests[profile.name] = hexEncode(try profile.openStoreToRead().contentDigest(OpenSSLProvider()))
        }
        return digests
    }

    func leave() {
        // What cannot be removed is in a folder for temporary files.
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }
}
