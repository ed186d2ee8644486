import ConclaveProtocol
import Waxwing
import WaxwingCore

/// The steps that register and login share: from a name and a password to a profile that is ready for use.
struct SignIn {
    let profile: Profile
    let username: String
    let serverURL: String
    let settings: ServerSettings
    let account: Account
    private let tally = Tally()

    /// Makes the profile's folder and store if they are missing.
    ///
    /// - Throws: ``Failure`` if the profile belongs to someone else, or no server is named or known.
    init(_ username: String, _ server: ServerOptions, _ profileOptions: ProfileOptions, _ surroundings: Surroundings)
        throws
    {
        if let problem = InputRules.problem(username: username) { throw Failure(.usage, "\(problem)") }
        let profile = try Profile.locate(profileOptions)
        let known = try profile.exists() ? try profile.openReader().account() : nil
        if let known, known.username != username {
            throw AccountError.anotherAccount(username: known.username, server: known.serverURL)
        }
        guard let address = try server.server.map({ try ServerAddress.normalized($0) }) ?? known?.serverURL else {
            throw AccountError.serverUnknown
        }
        if let known, known.serverURL != address {
            throw Failure(
                .notPossible, "this profile belongs to \(known.username) at \(known.serverURL)",
                hint: "use another profile for another server: --profile NAME")
        }
        self.profile = profile
        self.username = username
        serverURL = address
        var settings = try ServerSettings.load(profile.settingsPath).merging(server)
        if let transport = profileOptions.transport { settings.transport = try transport.absolute() }
        try ServerAddress.check(address, &settings, isKnown: known != nil)
        self.settings = settings
        try profile.prepare()
        account = try profile.open(in: surroundings, serverURL: address, settings, server.store) { [tally] in
            tally.take($0)
        }
    }

    /// Uploads key packages and fetches what is there. The login stands whether or not this succeeds.
    func firstSync() async {
        do {
            switch try await account.sync() {
            case .elsewhere: Console.note("another process is connected with this profile and brings it up to date")
            case .cut(let trouble, _): tellWhatIsMissing(trouble?.reason ?? "no way to the server")
            case .reached, .signedOut: if let trouble = tally.counts.unusable { tellWhatIsMissing(trouble.words) }
            }
        } catch {
            tellWhatIsMissing(Failure(explaining: error)?.message ?? "\(error)")
        }
    }

    func login(_ password: String) async throws -> (session: Session, hasNewKey: Bool) {
        try await account.login(username, password, serverURL, settings)
    }

    private func tellWhatIsMissing(_ reason: String) {
        Console.note("not up to date yet: \(reason.onOneLine)")
        Console.note("  no one can invite you before the next `waxwing sync`")
    }
}

/// What `register`, `login` and `whoami` print for scripts.
struct AccountView: Encodable {
    var username: String
    var userID: String
    var server: String
    /// Lower-case hex SHA-256 of the signature key.
    var fingerprint: String
    var loggedIn: Bool
    var profile: String

    init(_ account: AccountRecord, _ profile: Profile) {
        username = account.username
        userID = account.userID.description
        server = account.serverURL
        fingerprint = account.fingerprint
        loggedIn = account.token != nil
        self.profile = profile.folder
    }
}
