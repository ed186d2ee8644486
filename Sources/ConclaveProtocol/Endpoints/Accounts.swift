/// The result of a login. The token is a secret.
public struct Session: Hashable, Sendable {
    /// 64 hexadecimal digits on deployed servers; any visible ASCII is accepted.
    public var token: SessionToken
    public var userID: ID
    public var username: String

    public init(token: SessionToken, userID: ID, username: String) {
        self.token = token
        self.userID = userID
        self.username = username
    }
}

extension Session: CustomStringConvertible, CustomDebugStringConvertible {
    /// Without the token.
    public var description: String { "session of \(username)" }
    public var debugDescription: String { description }
}

/// What the server says about a user.
public struct UserInfo: Hashable, Sendable {
    public var user: ID
    public var username: String
    /// Empty if none is set.
    public var alias: String
    /// Lower-case hex SHA-256 of the signature public key, as the server claims; nil if none was uploaded.
    public var fingerprint: String?

    public init(user: ID, username: String, alias: String, fingerprint: String?) {
        self.user = user
        self.username = username
        self.alias = alias
        self.fingerprint = fingerprint
    }

    init(_ wire: WireUserInfoResponse) throws(InvalidMessage) {
        user = try checkedID(wire.userID, "the user id")
        username = printable(wire.username, limit: ProtocolLimits.nameLength)
        alias = printable(wire.alias, limit: ProtocolLimits.aliasLength)
        fingerprint = checkedFingerprint(wire.signingKeyFingerprint)
    }
}

extension Endpoint {
    /// `POST /register`. Refused: `forbidden` (closed, or a wrong registration token), `validation`, `conflict` (name
    /// taken).
    ///
    /// - Returns: the new user's id.
    public static func register(
        username: String, password: String, alias: String = "", registrationToken: String = "",
        idempotencyKey: String? = nil
    ) -> Call<ID> {
        var message = WireRegisterRequest()
        message.username = username
        message.password = password
        message.alias = alias
        message.registrationToken = registrationToken
        return Call(post("/register", message, nil, idempotencyKey)) {
            (answer: WireRegisterResponse) throws(InvalidMessage) in try checkedID(answer.userID, "the user id")
        }
    }

    /// `POST /login`. A wrong name or password is refused with `tokenInvalid`.
    public static func login(username: String, password: String) -> Call<Session> {
        var message = WireLoginRequest()
        message.username = username
        message.password = password
        return Call(post("/login", message, nil)) { (answer: WireLoginResponse) throws(InvalidMessage) in
            // It goes into a header, so only visible ASCII may be in it.
            let token = SessionToken(answer.token)
            guard (1...1024).contains(token.count), token.isHeaderValue else {
                throw InvalidMessage("the token is not visible ASCII")
            }
            return Session(
                token: token, userID: try checkedID(answer.userID, "the user id"),
                username: printable(answer.username, limit: ProtocolLimits.nameLength))
        }
    }

    /// `POST /logout`: ends this session.
    public static func logout(token: SessionToken) -> Call<Void> { Call(post("/logout", nil, token)) }

    /// `GET /me`: the caller's own account.
    public static func me(token: SessionToken) -> Call<UserInfo> { userInfo(get("/me", token)) }

    /// `PATCH /me`: sets the caller's alias.
    public static func updateProfile(alias: String, token: SessionToken) -> Call<Void> {
        var message = WireUpdateProfileRequest()
        message.alias = alias
        return Call(patch("/me", message, token))
    }

    /// `POST /change-password`: ends all sessions, including this one. A wrong password is refused with `tokenInvalid`.
    public static func changePassword(current: String, new: String, token: SessionToken) -> Call<Void> {
        var message = WireChangePasswordRequest()
        message.currentPassword = current
        message.newPassword = new
        return Call(post("/change-password", message, token))
    }

    /// `POST /reset-account`: deletes the caller's key packages on the server.
    public static func resetAccount(token: SessionToken) -> Call<Void> { Call(post("/reset-account", nil, token)) }

    /// `POST /delete-account`. A wrong password is refused with `tokenInvalid`.
    public static func deleteAccount(password: String, token: SessionToken) -> Call<Void> {
        var message = WireDeleteAccountRequest()
        message.password = password
        return Call(post("/delete-account", message, token))
    }

    /// `GET /users/{username}`. Refused: `notFound`.
    public static func user(named username: String, token: SessionToken) -> Call<UserInfo> {
        userInfo(get("/users/\(segment(username))", token))
    }

    /// `GET /users/by-id/{uuid}`. Refused: `notFound`.
    public static func user(id: ID, token: SessionToken) -> Call<UserInfo> {
        userInfo(get("/users/by-id/\(id)", token))
    }

    private static func userInfo(_ request: APIRequest) -> Call<UserInfo> {
        Call(request) { (answer: WireUserInfoResponse) throws(InvalidMessage) in try UserInfo(answer) }
    }
}
