import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct Register: Action {
    static let configuration = CommandConfiguration(
        abstract: "Create an account on a server, and log in.",
        discussion: """
            Example:
              waxwing register alice --server https://chat.example.org
              waxwing register bob --server 127.0.0.1:8443 --ca-file ca.pem --password-file secret
              waxwing register carol --server http://10.8.0.1:8080 --insecure-http
            """)

    @Argument(help: "The new account's name: letters, digits and underscores.")
    var username: String

    @OptionGroup var server: ServerOptions
    @OptionGroup var password: PasswordOptions

    @Option(help: "A name to show beside the username.")
    var alias = ""

    @Option(help: ArgumentHelp("The file with the token that a closed server asks for.", valueName: "file"))
    var registrationTokenFile: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        if let problem = InputRules.problem(alias: alias) { throw Failure(.usage, "\(problem)") }
        let signIn = try SignIn(username, server, profile, surroundings)
        if try signIn.account.reader.account() != nil { throw AccountError.accountExists }
        let registrationToken = try registrationTokenFile.map { try surroundings.password(.file($0)) } ?? ""
        let password = try surroundings.password(password.source(isNew: true))
        if let problem = InputRules.problem(password: password) { throw Failure(.usage, "\(problem)") }
        try await register(signIn, password, registrationToken)
        do {
            _ = try await signIn.login(password)
        } catch {
            guard let failure = Failure(explaining: error) else { throw error }
            throw Failure(
                failure.status, "the account was created, but you are not logged in: \(failure.message)",
                hint: "do not register again; log in with `waxwing login \(username) --server \(signIn.serverURL)`")
        }
        await signIn.firstSync()
        guard let account = try signIn.account.reader.account() else { throw Failure.notLoggedIn }
        if output.json {
            Console.print(try JSON.line(AccountView(account, signIn.profile)))
        } else {
            Console.print("registered and logged in as \(account.username)")
        }
    }

    private func register(_ signIn: SignIn, _ password: String, _ registrationToken: String) async throws {
        do {
            try await signIn.account.register(
                username, password, signIn.serverURL, alias: alias, registrationToken: registrationToken)
        } catch AccountError.usernameTaken {
            throw Failure(
                .refused, "the name \(username) is taken on this server",
                hint: "if it is yours: `waxwing login \(username) --server \(signIn.serverURL)`")
        }
    }
}
