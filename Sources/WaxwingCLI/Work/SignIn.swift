import ConclaveProtocol
import WaxwingClient
import WaxwingCore

/// The steps that register and login share: from a name and a password to a profile that is ready for use.
struct SignIn {
    let profile: Profile
    let username: String
    let serverURL: String
    let settings: Settings
    let client: Client
    private let tally = Tally()

    /// Makes the profile's folder and store where they are missing.
    ///
    /// - Throws: ``Failure`` where the profile belongs to somebody else, or the server is not named and not known.
    init(_ username: String, _ server: ServerOptions, _ profileOptions: ProfileOptions) throws {
        if let problem = InputRules.problem(username: username) { throw Failure(.usage, problem) }
        let profile = try Profile.locate(profileOptions)
        let known = try profile.exists() ? try profile.openReader().account() : nil
        if let known, known.username != username {
            throw Failure(
                .notPossible, "this profile belongs to \(known.username) at \(known.serverURL)",
                hint: "use another profile for this account: --profile NAME")
        }
        guard let address = try server.server.map({ try ServerAddress.normalized($0) }) ?? known?.serverURL else {
            throw Failure(.usage, "the server is not known yet", hint: "name it: --server URL")
        }
        if let known, known.serverURL != address {
            throw Failure(
                .notPossible, "this profile belongs to \(known.username) at \(known.serverURL)",
                hint: "use another profile for another server: --profile NAME")
        }
        self.profile = profile
        self.username = username
        serverURL = address
        var settings = try Settings.load(profile.settingsPath).merging(server)
        if let transport = profileOptions.transport { settings.transport = try transport.absolute() }
        try ServerAddress.check(address, &settings, isKnown: known != nil)
        self.settings = settings
        try profile.prepare()
        client = try profile.open(serverURL: address, settings, server.store) { [tally] in tally.take($0) }
    }

    /// Asks for a session and keeps it.
    ///
    /// - Returns: whether this profile got a new signature key, so that key packages of earlier ones are of no use.
    func login(_ password: String) async throws -> (session: Session, newKey: Bool) {
        let session: Session
        do {
            session = try await client.ask(
                Endpoint.login(username: username, password: password), of: serverURL)
        } catch let error as ProtocolError where error.code == .tokenInvalid {
            throw Failure(
                .wrongPassword, "wrong username or password", hint: "a new account is made with `waxwing register`")
        }
        guard session.username == username else {
            throw Failure(.badAnswer, "the server logged in somebody else")
        }
        try settings.save(profile.settingsPath)
        let before = try client.reader.account()?.fingerprint
        try await client.perform(.signIn(session, serverURL: serverURL)) { [token = session.token] in
            try $0.account()?.token == token
        }
        return (session, try client.reader.account()?.fingerprint != before)
    }

    /// Uploads key packages and fetches what is there. The login stands, whatever comes of it.
    func firstSync() async {
        do {
            guard let lease = try ConnectionLease.take(path: profile.leasePath) else {
                Console.note("another process is connected with this profile and brings it up to date")
                return
            }
            defer { withExtendedLifetime(lease) {} }
            let link = try await client.run(live: false, until: .settled)
            if case .waiting(_, let trouble) = link {
                tellWhatIsMissing(trouble?.reason ?? "no way to the server")
            } else if let reason = tally.counts.unusable {
                tellWhatIsMissing(reason)
            }
        } catch {
            tellWhatIsMissing(Failure(explaining: error)?.message ?? "\(error)")
        }
    }

    private func tellWhatIsMissing(_ reason: String) {
        Console.note("not up to date yet: \(reason.asClause)")
        Console.note("  nobody can invite you before the next `waxwing sync`")
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
