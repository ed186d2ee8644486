import ConclaveProtocol
import Foundation
import OpenSSLPrimitives

/// The endpoints that hash a password: read, hash outside any transaction, then write if nothing changed meanwhile.
struct AccountService: Sendable {
    let store: ServerStore
    let configuration: ServerConfiguration

    let queue = HashingQueue()

    private let attempts: RateLimiter?
    private let failures: RateLimiter?
    /// Checked for unknown usernames, so that they take as long as known ones.
    private let decoy: PasswordHash

    init(store: ServerStore, configuration: ServerConfiguration) throws {
        self.store = store
        self.configuration = configuration
        switch configuration.rateLimit {
        case .off: (attempts, failures) = (nil, nil)
        case .perMinute(let count):
            attempts = RateLimiter(perMinute: count)
            failures = RateLimiter(perMinute: configuration.failedLoginsPerMinute)
        }
        decoy = try PasswordHash(of: hexEncode(randomBytes(16)), cost: configuration.passwordCost)
    }

    func register(_ body: Data, from address: String) async throws -> Answer {
        try attempts?.take(address, now: configuration.uptime())
        let request = try decode(WireRegisterRequest.self, from: body)
        try requireMayRegister(request.registrationToken)
        try Validation.name(request.username, what: "username")
        try Validation.alias(request.alias)
        try Validation.password(request.password)
        let cost = configuration.passwordCost
        let hash = try await queue.run { try PasswordHash(of: request.password, cost: cost) }
        return try await store.write { transaction in
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
        try await verify(
            request.password, against: found?.hash ?? decoy, mayMatch: found != nil, attempt: "\(address) \(name)")
        guard let found else { throw APIError.wrongPassword }
        return try await store.write { transaction in
            try transaction.requireCurrent(found.hash, of: found.user)
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

    private func requireMayRegister(_ token: String) throws {
        switch configuration.registration {
        case .open: return
        case .closed: throw APIError.forbidden("registration is closed")
        case .token(let expected):
            // Digests have one length, so the comparison reveals nothing about the token's.
            guard Secrets.areEqual(SHA256.of(Array(token.utf8)), SHA256.of(Array(expected.utf8))) else {
                throw APIError.forbidden("the registration token is wrong")
            }
        }
    }
}
