import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// The endpoints that hash a password: read, hash outside any transaction, then write if nothing changed meanwhile.
struct AccountService: Sendable {
    let store: ServerStore
    let configuration: ServerConfiguration

    let queue: HashingQueue

    private let attempts: RateLimiter?
    private let failures: RateLimiter?
    /// Wrong passwords for one account from anywhere it was never used.
    private let guesses: GuessLimit?
    /// Checked for unknown usernames, so that they take as long as known ones.
    private let decoy: PasswordHash

    init(store: ServerStore, configuration: ServerConfiguration) throws {
        self.store = store
        self.configuration = configuration
        queue = HashingQueue(atOnce: configuration.hashesAtOnce)
        switch configuration.rateLimit {
        case .off: (attempts, failures, guesses) = (nil, nil, nil)
        case .perMinute(let count):
            attempts = RateLimiter(perMinute: count)
            failures = RateLimiter(perMinute: configuration.failedLoginsPerMinute)
            guesses = configuration.failedLoginsPerHour.map { GuessLimit(store: store, perHour: $0) }
        }
        decoy = try PasswordHash(of: hexEncode(randomBytes(16)), cost: configuration.passwordCost)
    }

    func register(_ body: Data, from address: String) async throws -> Answer {
        try attempts?.take(address, now: configuration.uptime())
        let request = try decode(WireRegisterRequest.self, from: body)
        let isListed = try await requireMayRegister(request.registrationToken)
        try Validation.name(request.username, what: "username")
        try Validation.alias(request.alias)
        try Validation.password(request.password)
        let cost = configuration.passwordCost
        let hash = try await queue.run { try PasswordHash(of: request.password, cost: cost) }
        return try await store.write { transaction in
            if isListed { try transaction.use(registrationToken: request.registrationToken) }
            let user = try transaction.register(request, passwordHash: hash)
            return try Answer(201, WireRegisterResponse.with { $0.userID = user.blob })
        }
    }

    func login(_ body: Data, from address: String) async throws -> Answer {
        try attempts?.take(address, now: configuration.uptime())
        let request = try decode(WireLoginRequest.self, from: body)
        let found = try await store.read { try $0.credentials(ofUsername: request.username) }
        // What is not a username may be of any size, so all of it counts as one.
        let name = Validation.isName(request.username) ? request.username : ""
        let guess = try await guesses?.take(for: found?.user, named: name, from: address)
        try await verify(
            request.password, against: found?.hash ?? decoy, mayMatch: found != nil, attempt: "\(address) \(name)")
        guard let found else { throw APIError.wrongPassword }
        let better = try await rehashed(request.password, found.hash)
        return try await store.write { transaction in
            try transaction.requireCurrent(found.hash, of: found.user)
            try transaction.requireEnabled(found.user)
            if let better { try transaction.replace(found.hash, by: better, of: found.user) }
            try guess?.wasRight(in: transaction)
            try transaction.remember(address: address, of: found.user)
            let token = try transaction.openSession(of: found.user)
            return try Answer(
                WireLoginResponse.with {
                    $0.token = token
                    $0.userID = found.user.blob
                    $0.username = request.username
                })
        }
    }

    func changePassword(_ body: Data, token: SessionToken) async throws -> Answer {
        let request = try decode(WireChangePasswordRequest.self, from: body)
        let (user, hash) = try await authenticated(token)
        try await verify(request.currentPassword, against: hash, mayMatch: true, attempt: user.description)
        try Validation.password(request.newPassword)
        let cost = configuration.passwordCost
        let newHash = try await queue.run { try PasswordHash(of: request.newPassword, cost: cost) }
        return try await store.write { transaction in
            _ = try transaction.authenticate(token)
            try transaction.requireCurrent(hash, of: user)
            try transaction.setPassword(newHash, of: user)
            return Answer()
        }
    }

    func deleteAccount(_ body: Data, token: SessionToken) async throws -> Answer {
        let request = try decode(WireDeleteAccountRequest.self, from: body)
        let (user, hash) = try await authenticated(token)
        try await verify(request.password, against: hash, mayMatch: true, attempt: user.description)
        return try await store.write { transaction in
            _ = try transaction.authenticate(token)
            try transaction.requireCurrent(hash, of: user)
            try transaction.deleteAccount(user)
            return Answer()
        }
    }

    private func authenticated(_ token: SessionToken) async throws -> (user: ID, hash: PasswordHash) {
        try await store.read { transaction in
            let user = try transaction.authenticate(token).user
            return (user, try transaction.passwordHash(of: user))
        }
    }

    /// - Throws: 401/202 for a wrong password, 429 after too many of them under the name `attempt`.
    private func verify(
        _ password: String, against hash: PasswordHash, mayMatch: Bool, attempt: String
    ) async throws {
        // Count it before it is known to be wrong, or any number of guesses could be in progress at once.
        try failures?.take(attempt, now: configuration.uptime())
        let matches: Bool
        do {
            matches = try await queue.run { try hash.matches(password) }
        } catch {
            failures?.giveBack(attempt, now: configuration.uptime())
            throw error
        }
        guard matches && mayMatch else { throw APIError.wrongPassword }
        failures?.giveBack(attempt, now: configuration.uptime())
    }

    /// A hash of today's cost for a password that is known to be right; nil if the present one is good, or the server
    /// is too busy to make one now.
    private func rehashed(_ password: String, _ hash: PasswordHash) async throws -> PasswordHash? {
        let cost = configuration.passwordCost
        guard hash.isCheaper(than: cost) else { return nil }
        do {
            return try await queue.run { try PasswordHash(of: password, cost: cost) }
        } catch let error as APIError where error.status == APIError.busy.status {
            return nil
        }
    }

    /// - Returns: whether the token is one of those in the database, which count.
    private func requireMayRegister(_ token: String) async throws -> Bool {
        switch configuration.registration {
        case .open: return false
        case .closed: throw APIError.forbidden("registration is closed")
        case .tokens: break
        case .token(let expected):
            // Digests have one length, so the comparison reveals nothing about the token's.
            if Secrets.areEqual(SHA256.of(Array(token.utf8)), SHA256.of(Array(expected.utf8))) { return false }
        }
        // Before a hash is computed for nothing.
        try await store.read { try $0.require(registrationToken: token) }
        return true
    }
}
