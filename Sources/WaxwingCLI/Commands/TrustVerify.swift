import ArgumentParser
import Waxwing
import WaxwingCore

struct TrustVerify: Action {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Mark a user's key as compared by hand.",
        discussion: """
            Give the fingerprint that you compared: read to you on the phone, or shown on their screen (`waxwing \
            whoami`). If it is not the user's, nothing is changed. Messages that were held for this key go out.

            Example:
              waxwing trust verify bob --fingerprint "$(cat fingerprint-from-bob)"
            """)

    @Argument(help: "The user's name or id, as shown.")
    var username: String

    @Option(help: ArgumentHelp("What the user read to you; spaces do not matter.", valueName: "hex"))
    var fingerprint: String

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings)
        let user = try account.reader.theUser(username)
        let compared = Fingerprint.plain(fingerprint)
        guard try account.reader.fingerprints(of: user.id).contains(compared) else {
            throw Failure(
                .refused, "this is not the fingerprint of \(username.onOneLine)",
                hint: "either it was misread, or someone is between you: do not trust this key yet")
        }
        try await account.verify(user.id, fingerprint: compared)
        let view = try TrustView(user.id, account.reader, Names(account.reader))
        Console.print(output.json ? try JSON.line(view) : view.text)
    }
}
