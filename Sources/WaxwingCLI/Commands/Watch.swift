import ArgumentParser
import ConclaveProtocol
import Synchronization
import WaxwingClient
import WaxwingCore

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stay connected, and print things as they come, until Ctrl-C.",
        discussion: """
            Other commands of the same profile go on working beside it: what they queue goes out at once.

            Example:
              waxwing watch
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try Profile.locate(profile)
        let reader = try profile.openReader()
        let announcer = Announcer(reader, json: output.json)
        let client = try profile.open { announcer.take($0) }
        switch try await Connection.run(client, profile, live: true, until: .stopped) {
        case .elsewhere: throw Failure.profileInUse
        case .loginNeeded: throw try Failure.signedOut(reader)
        case .reached, .cut: break
        }
    }
}
