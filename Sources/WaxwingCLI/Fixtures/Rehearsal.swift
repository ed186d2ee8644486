import FixtureTransport
import FoundationEssentials
import Waxwing

/// Replays a recording command by command. Each command of a profile whose transport is `replay:FILE` repeats the next
/// one in the recording, with the answers, the time and the random numbers of the recording.
///
/// In between, every command that needs no network can inspect the profile. The profile records how far the replay got,
/// and that its keys follow from a recording: anyone who has the recording has the keys, too, so the profile never
/// contacts a server (``claim(_:_:isNew:)``).
struct Rehearsal: Sendable {
    /// How far a profile got.
    private struct Progress: Codable {
        var recording: String
        /// Commands of the recording that are done, including those of other profiles.
        var done: Int
    }

    private let profile: Profile
    private let path: String
    private let player: Player
    private let progress: Progress

    /// From here on, the command takes everything from the recording.
    ///
    /// - Parameter surroundings: the command's, which become those of the recording.
    ///
    /// - Throws: ``Failure`` if this command is not the next one.
    static func begin(_ profile: Profile, _ path: String, in surroundings: Surroundings) throws {
        let fixture: Fixture
        do { fixture = try Fixture(path: path) } catch { throw Failure(.usage, "\(error)") }
        let arguments = Fixture.kept(Array(CommandLine.arguments.dropFirst()))
        let done = try load(profile, path)
        let commands = fixture.commands
        guard let index = try next(in: commands, from: done, profile, arguments) else {
            throw Failure(
                .diverged, "this profile has reached the end of the recording \(path)",
                hint: "a new profile starts it again: --profile NAME")
        }
        let player: Player
        do {
            player = try Player(fixture, from: commands[index]) { divergence in
                Console.note("waxwing: this leaves \(path) at \(divergence)".onItsLines)
                Console.leave(ExitStatus.diverged.rawValue)
            }
        } catch {
            throw Failure(.usage, "\(path): \(error)")
        }
        _ = player.nextCommand()
        let rehearsal = Rehearsal(
            profile: profile, path: path, player: player, progress: Progress(recording: path, done: index + 1))
        surroundings.become(.played(by: player, from: path)) { rehearsal.end($0) }
    }

    /// Keeps keys of a recording and keys of one's own apart. Call it before any random number is drawn for a profile.
    ///
    /// - Parameters:
    ///   - path: the recording to be replayed on the profile; nil for the real world.
    ///   - isNew: whether the profile has no account yet.
    /// - Throws: ``Failure`` if a recording is to be replayed on a profile with keys of its own, or if a profile made
    ///   by a recording is to contact a server.
    static func claim(_ profile: Profile, _ path: String?, isNew: Bool) throws {
        let progress: Progress? = try ProfileFile.load(profile.rehearsalPath)
        guard let path else {
            guard let progress else { return }
            throw Failure(
                .notPossible,
                "this profile was made by a recording, and whoever has the recording has its keys: it connects to no server",
                hint: "you can look at it, or go on with --transport replay:\(progress.recording)")
        }
        if progress != nil { return }
        guard isNew else {
            throw Failure(
                .notPossible, "this profile has keys of its own: no recording can be replayed on it",
                hint: "`waxwing replay` uses a profile of its own; --profile NAME makes a new one")
        }
        try ProfileFile.replace(profile.rehearsalPath, by: Progress(recording: path, done: 0))
    }

    /// Records that a profile has replayed all of a recording.
    static func finish(_ profile: Profile, _ path: String, commands: Int) throws(AccountError) {
        try ProfileFile.replace(profile.rehearsalPath, by: Progress(recording: path, done: commands))
    }

    /// The position of the next command for this profile; nil at the end.
    private static func next(
        in commands: [Fixture.Command], from done: Int, _ profile: Profile, _ arguments: [String]
    ) throws -> Int? {
        for index in commands.indices.dropFirst(done) {
            let recorded = commands[index].arguments
            if recorded == arguments { return index }
            // Commands that only looked at the profile may be left out or replaced.
            if !commands[index].tookAnything || profileName(in: recorded) != profile.name { continue }
            throw Failure(
                .diverged, "the recording continues with another command",
                hint: "expected: waxwing \(recorded.joined(separator: " ").onOneLine)")
        }
        return nil
    }

    private func end(_ code: Int32) -> Int32 {
        player.exit(code)
        do {
            try ProfileFile.replace(profile.rehearsalPath, by: progress)
            return code
        } catch {
            let failure = Failure(error)
            Console.tell(failure)
            return failure.status.rawValue
        }
    }

    private static func load(_ profile: Profile, _ path: String) throws(AccountError) -> Int {
        guard let progress: Progress = try ProfileFile.load(profile.rehearsalPath) else { return 0 }
        return progress.recording == path ? progress.done : 0
    }

    private static func profileName(in arguments: [String]) -> String {
        for (index, word) in arguments.enumerated() {
            if word.hasPrefix("--profile=") { return String(word.dropFirst("--profile=".count)) }
            if word == "--profile", index + 1 < arguments.count { return arguments[index + 1] }
        }
        return ProfileOptions.standardName
    }
}
