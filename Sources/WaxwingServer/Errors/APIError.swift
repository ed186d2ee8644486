import ConclaveProtocol

/// A refusal that the client is told: HTTP status, protocol error code and a sentence.
struct APIError: Error {
    var status: Int
    var code: WireErrorCode
    var message: String
    /// Seconds for a `Retry-After` header.
    var retryAfter: Int?

    init(_ status: Int, _ code: WireErrorCode, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    static func badRequest(_ message: String) -> APIError { APIError(400, .badRequest, message) }
    static func validation(_ message: String) -> APIError { APIError(400, .validation, message) }
    static func notFound(_ message: String) -> APIError { APIError(404, .notFound, message) }
    static func conflict(_ message: String) -> APIError { APIError(409, .conflict, message) }
    static func forbidden(_ message: String) -> APIError { APIError(403, .forbidden, message) }

    static var headerMissing: APIError { APIError(401, .authHeaderMissing, "this request needs a session token") }
    static var headerMalformed: APIError {
        APIError(401, .authHeaderMalformed, "the session token is not 64 hexadecimal digits")
    }
    static var tokenInvalid: APIError { APIError(401, .tokenInvalid, "the session is unknown or over; log in again") }
    static var wrongPassword: APIError { APIError(401, .tokenInvalid, "wrong username or password") }
    static var notMember: APIError { APIError(401, .notMember, "only members of the group may do this") }
    static var notAdmin: APIError { APIError(401, .notAdmin, "only admins of the group may do this") }
    static var notYours: APIError { APIError(401, .notMember, "the invite is for somebody else") }
    static var groupNotPublic: APIError { APIError(403, .groupNotPublic, "the group is not public") }
    static var banned: APIError { APIError(403, .banned, "the user is banned from the group") }
    static var unknownUser: APIError { .notFound("there is no such user") }
    static var unknownGroup: APIError { .notFound("there is no such group") }
    static var unknownInvite: APIError { .notFound("there is no such invite") }

    /// More of it does not fit, however long one waits.
    static func overQuota(_ message: String) -> APIError { APIError(413, .forbidden, message) }
    static func tooMany(retryAfter: Int) -> APIError {
        APIError(429, .unspecified, "too many attempts; try again in \(retryAfter) s", retryAfter: retryAfter)
    }
    static var busy: APIError { APIError(503, .unspecified, "the server is busy; try again", retryAfter: 1) }
    static var internalError: APIError { APIError(500, .unspecified, "the server failed; see its log") }
}
