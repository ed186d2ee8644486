import ArgumentParser
import Waxwing
import WaxwingCore

struct TrustLevelCommand: Action {
    static let configuration = CommandConfiguration(
        commandName: "level",
        abstract: "Show or set how much you are asked about members of your groups.",
        discussion: """
            usual   Your messages wait for your decision if a member was let in by no one accountable, or has another \
            key than the one you know. For a new key of someone you have only seen, they wait until you have been told.
            follow  For bots: they wait only for strangers, and for keys that are contested or not the ones you verified.
            strict  They wait for every new key.

            Every level shows who came and went. What is held already stays held.

            Example:
              waxwing trust level strict
              waxwing trust level follow --group announcements
            """)

    @Argument(help: "usual, follow or strict; if missing, the level is shown.")
    var level: TrustLevel?

    @Option(help: ArgumentHelp("For this group only.", valueName: "group"))
    var group: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings)
        guard try account.reader.account() != nil else { throw Failure.notLoggedIn }
        let group = try group.map { try account.reader.theGroup($0) }
        if let level { try await account.setTrust(level, in: group?.id) }
        let set = try account.trust(in: group?.id)
        let view = LevelView(level: "\(set)", group: group?.shownName)
        Console.print(output.json ? try JSON.line(view) : view.level)
    }

    private struct LevelView: Encodable {
        var level: String
        var group: String?
    }
}

extension TrustLevel: ExpressibleByArgument {
    public init?(argument: String) {
        guard let level = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = level
    }

    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}
