import ArgumentParser
import WaxwingCore

struct TrustVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Note that you compared a user's key by hand.",
        discussion: """
            With --fingerprint nothing is noted unless it is the user's.

            Example:
              waxwing trust verify bob --fingerprint "$(cat fingerprint-from-bob)"
            """)

    @Argument(help: "The user's name.")
    var username: String

    @Option(help: ArgumentHelp("What the user read to you; spaces do not matter.", valueName: "hex"))
    var fingerprint: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Profile.locate(profile).open()
        let user = try client.reader.theUser(username)
        let present = user.record.changedFingerprint.isEmpty ? user.record.fingerprint : user.record.changedFingerprint
        if let fingerprint, Fingerprint.plain(fingerprint) != present {
            throw Failure(
                .refused, "this is not the fingerprint of \(username.onOneLine)",
                hint: "either it was read wrongly, or somebody stands between you: do not trust this key yet")
        }
        try await client.perform(.verify(user: user.id))
        let account = try client.reader.account()
        let view = TrustView(user.id, try client.reader.theUser(username).record, isOwn: account?.userID == user.id)
        Console.print(output.json ? try JSON.line(view) : view.text)
    }
}
