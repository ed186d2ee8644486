import ArgumentParser
import WaxwingCore
import Waxwing

struct WhoAmI: Action {
    static let configuration = CommandConfiguration(
        commandName: "whoami",
        abstract: "Show the account of this profile.",
        discussion: """
            Example:
              waxwing whoami --json
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        guard let account = try profile.openReader().account() else { throw Failure.notLoggedIn }
        if output.json {
            Console.print(try JSON.line(AccountView(account, profile)))
            return
        }
        let state = account.token == nil ? "logged out" : "logged in"
        Console.print(
            """
            \(account.username) at \(account.serverURL) (\(state))
            user id      \(account.userID)
            fingerprint  \(Fingerprint.grouped(account.fingerprint))
            profile      \(profile.folder)
            """)
    }
}
