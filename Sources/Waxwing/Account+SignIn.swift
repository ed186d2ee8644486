import ConclaveProtocol
import WaxwingClient
import WaxwingCore

extension Account {
    /// Makes an account on a server, and signs in.
    ///
    /// - Parameters:
    ///   - username: 1 to 64 letters, digits and underscores of ASCII, the first not an underscore.
    ///   - server: `https://chat.example.org`, `host:8443`, or an http address of this machine.
    ///   - alias: a name to show beside the username.
    ///   - registrationToken: required by servers that are not open to everyone.
    ///   - settings: certificates, proxy, and whether an http address of another machine is allowed.
    /// - Throws: ``AccountError``, `TransportError`, `ProtocolError`, `StoreError`. After
    ///   ``AccountError/registeredOnly(_:)`` the account exists; continue with ``signIn(_:password:server:settings:)``.
    public func register(
        _ username: String, password: String, server: String, alias: String = "", registrationToken: String = "",
        settings: ServerSettings = ServerSettings()
    ) async throws {
        if let problem = InputRules.problem(alias: alias) ?? InputRules.problem(password: password) {
            throw AccountError.invalidInput(problem)
        }
        guard try reader.account() == nil else { throw AccountError.accountExists }
        try await keepingTheWay {
            let address = try begin(username, server, settings)
            try await register(username, password, address, alias: alias, registrationToken: registrationToken)
            do {
                try await login(username, password, address, settings)
            } catch {
                throw AccountError.registeredOnly(Trouble(explaining: error))
            }
        }
    }

    /// Puts the way to the server back that was in use, if `work` fails.
    private func keepingTheWay<Value>(_ work: () async throws -> Value) async throws -> Value {
        let before = way.current
        do {
            return try await work()
        } catch {
            way.current = before
            throw error
        }
    }

    /// Signs in to an account. On a new profile the account gets new keys, and rejoins its groups with them at the next
    /// sync.
    ///
    /// - Parameters:
    ///   - server: may be left out if the profile has one.
    ///   - settings: nil to keep those of the profile.
    /// - Throws: ``AccountError``, `TransportError`, `ProtocolError`, `StoreError`.
    public func signIn(
        _ username: String, password: String, server: String? = nil, settings: ServerSettings? = nil
    ) async throws {
        guard let server = try server ?? reader.account()?.serverURL else { throw AccountError.serverUnknown }
        let settings =
            try settings ?? profile.map { try ServerSettings.load($0.settingsPath) } ?? way.current?.settings
            ?? ServerSettings()
        let (address, session, hasNewKey) = try await keepingTheWay {
            let address = try begin(username, server, settings)
            let (session, hasNewKey) = try await login(username, password, address, settings)
            return (address, session, hasNewKey)
        }
        guard hasNewKey else { return }
        // Key packages of an earlier key would lead to invites that no one can open. The sign-in stands whether or not
        // this succeeds.
        _ = try? await client.ask(Endpoint.resetAccount(token: session.token), of: address)
    }

    /// Forgets the session, here and on the server. History, keys and the outbox are kept.
    ///
    /// - Throws: `StoreError`. It is not an error if the server cannot be told.
    public func signOut() async throws {
        guard let account = try reader.account(), let token = account.token else { return }
        try await client.perform(.signOut) { try $0.account()?.token == nil }
        // If the server does not hear from us, the session ends there when it expires.
        _ = try? await client.ask(Endpoint.logout(token: token), of: account.serverURL)
    }

    /// Checks the given name and address against what the profile knows, and opens the way to the server.
    private func begin(_ username: String, _ server: String, _ settings: ServerSettings) throws -> String {
        if let problem = InputRules.problem(username: username) { throw AccountError.invalidInput(problem) }
        let address = try ServerAddress.normalized(server)
        let known = try reader.account()
        if let known, known.username != username || known.serverURL != address {
            throw AccountError.anotherAccount(username: known.username, server: known.serverURL)
        }
        // A profile that has always gone this way goes on, unless someone said no.
        let isAllowed = settings.insecureHTTP ?? (known != nil)
        if ServerAddress.isExposed(address), !isAllowed {
            throw AccountError.exposedServerAddress(address)
        }
        try connect(to: address, settings)
        return address
    }

    /// Makes the account on the server.
    package func register(
        _ username: String, _ password: String, _ address: String, alias: String, registrationToken: String
    ) async throws {
        do {
            _ = try await client.ask(
                Endpoint.register(
                    username: username, password: password, alias: alias, registrationToken: registrationToken),
                of: address)
        } catch let error as ProtocolError where error.code == .conflict {
            throw AccountError.usernameTaken
        } catch let error as ProtocolError where error.code == .forbidden {
            throw AccountError.registrationClosed(Trouble(error))
        }
    }

    /// Asks for a session, and keeps it together with the settings.
    ///
    /// - Returns: whether this profile got a new signature key, so that earlier key packages are of no use.
    @discardableResult
    package func login(
        _ username: String, _ password: String, _ address: String, _ settings: ServerSettings
    ) async throws -> (session: Session, hasNewKey: Bool) {
        let session: Session
        do {
            session = try await client.ask(Endpoint.login(username: username, password: password), of: address)
        } catch let error as ProtocolError where error.code == .tokenInvalid {
            throw AccountError.wrongPassword
        }
        guard session.username == username else { throw AccountError.signedInAsAnother }
        if let profile { try settings.save(profile.settingsPath) }
        let before = try reader.account()?.fingerprint
        try await client.perform(.signIn(session, serverURL: address)) { [token = session.token] in
            try $0.account()?.token == token
        }
        return (session, try reader.account()?.fingerprint != before)
    }
}
