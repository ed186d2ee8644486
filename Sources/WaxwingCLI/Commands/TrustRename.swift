import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct TrustRename: Action {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Call someone what the server calls them now.",
        discussion: """
            The name under which you first saw someone stays, whatever the server calls them later; `waxwing trust \
            show` shows the new name. This command takes over the new name, for past messages, too. Ask them first, in \
            a way that the server has no part in. Works offline.

            Example:
              waxwing trust rename bob
            """)

    @Argument(help: "The user's name or id, as shown here.")
    var username: String

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings)
        let user = try account.reader.theUser(username)
        let names = Names(account.reader)
        let before = try names.username(user.id)
        guard let name = try account.reader.claimedName(of: user.id) else {
            throw Failure(.notPossible, "the server has no other name for \(before)")
        }
        try await account.client.perform(.acceptName(user: user.id, name: name))
        if output.json {
            Console.print(try JSON.line(TrustView(user.id, account.reader, names)))
        } else {
            Console.print("\(before) is called \(try names.username(user.id)) from now on")
        }
    }
}
