import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct Login: Action {
    static let configuration = CommandConfiguration(
        abstract: "Log in to an account.",
        discussion: """
            On a new profile, the account gets new keys and rejoins its groups with them.

            Example:
              waxwing login alice --server https://chat.example.org
              waxwing login alice --password-file - < secret
              waxwing login --insecure-http
            """)

    @Argument(help: "The account's name (default: the profile's account).")
    var username: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var password: PasswordOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let signIn = try SignIn(try name(), server, profile, surroundings)
        let password = try surroundings.password(password.source(isNew: false))
        let (session, hasNewKey) = try await signIn.login(password)
        if hasNewKey { await resetAccount(signIn, session) }
        await signIn.firstSync()
        guard let account = try signIn.account.reader.account() else { throw Failure.notLoggedIn }
        if output.json {
            Console.print(try JSON.line(AccountView(account, signIn.profile)))
        } else {
            Console.print("logged in as \(account.username)")
        }
    }

    private func name() throws -> String {
        if let username { return username }
        let profile = try Profile.locate(profile)
        if try profile.exists(), let account = try profile.openReader().account() { return account.username }
        throw Failure(.usage, "the account's name is missing", hint: "waxwing login NAME --server URL")
    }

    /// Key packages of an earlier key would lead to invites that no one can open.
    private func resetAccount(_ signIn: SignIn, _ session: Session) async {
        do {
            try await signIn.account.client.ask(
                Endpoint.resetAccount(token: session.token), of: signIn.serverURL)
        } catch {
            let reason = Failure(explaining: error)?.message ?? "\(error)"
            Console.note("old key packages may still be on the server: \(reason.onOneLine)")
        }
    }
}
