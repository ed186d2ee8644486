import ArgumentParser
import Waxwing
import WaxwingCore

struct TrustLevelCommand: Action {
    static let configuration = CommandConfiguration(
        commandName: "level",
        abstract: "Show or set how much you are asked about who is in your groups.",
        discussion: """
            usual   members whom no one accountable let in, and keys other than the ones you know, hold your messages until you decide; a new
                    key of somebody you have only seen holds them until you were told
            follow  for bots: only strangers, and keys that are contested or not the ones you verified, hold them
            strict  every new key holds them

            No level hides the lines that tell who came and went. What is held stays held.

            Example:
              waxwing trust level strict
              waxwing trust level follow --group announcements
            """)

    @Argument(help: "usual, follow or strict; shown if it is missing.")
    var level: TrustLevel?

    @Option(help: ArgumentHelp("For this group alone.", valueName: "group"))
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
