import Files
import ConclaveProtocol
import MLS
import Waxwing
import WaxwingClient
import WaxwingCore

/// Why a command failed, in words for people: what happened, what to do next, and the exit code.
struct Failure: Error, Hashable, Sendable {
    var status: ExitStatus
    var message: String
    /// What to do next; empty if there is nothing to say.
    var hint: String

    init(_ status: ExitStatus, _ message: String, hint: String = "") {
        self.status = status
        self.message = message
        self.hint = hint
    }
}

extension Failure {
    init(_ error: LeaseError) {
        let isFull = FileError("", systemError: error.systemError).isFull
        self.init(
            isFull ? .diskFull : .profileUnusable, "the profile's lock file cannot be used: \(error.reason)",
            hint: isFull ? Self.roomHint : Self.folderHint)
    }

    init(_ error: MLSError) {
        self.init(.other, "the encryption engine failed: \(error.description)")
    }

    /// The parser's complaint about a command line.
    ///
    /// - Parameter full: the message with all that the parser adds; its last line says where to read more.
    init(parsing message: String, _ full: String, _ code: Int32) {
        let last = full.split(separator: "\n").last.map(String.init) ?? ""
        self.init(
            ExitStatus(rawValue: code) ?? .other, Self.clause(message),
            hint: String(last.contains("--help") ? last.onOneLine.drop { $0 == " " } : ""))
    }

    /// The parser's sentence, as it may follow a colon.
    private static func clause(_ sentence: String) -> String {
        var line = sentence.onOneLine
        if line.hasSuffix(".") { line.removeLast() }
        guard let second = line.dropFirst().first, second.isLowercase else { return line }
        return line.prefix(1).lowercased() + line.dropFirst()
    }

    init(_ error: StoreError) {
        switch error.code {
        case .full:
            // Only the command knows which of its effects remain.
            self.init(.diskFull, error.reason.onOneLine, hint: Self.roomHint)
        case .notPermitted:
            self.init(.profileUnusable, "the profile cannot be used: \(error.reason.onOneLine)", hint: Self.folderHint)
        case .corrupt:
            self.init(.profileDamaged, "the profile is damaged: \(error.reason.onOneLine)", hint: Self.damageHint)
        case .newerFormat:
            self.init(.profileDamaged, error.reason, hint: "update waxwing; this version cannot read the profile")
        case .staleRevision, .failed:
            self.init(.profileUnusable, "the profile cannot be used: \(error.reason.onOneLine)", hint: Self.folderHint)
        }
    }

    /// - Parameter clock: the command's, for what it says if it may be wrong; nil if only the message is wanted.
    init(_ error: TransportError, clock: (() -> Moment)? = nil) {
        let reason = error.reason.onOneLine
        switch error.cause {
        case .badCertificate:
            self.init(
                .badCertificate, reason,
                hint: "if the server uses a certificate authority of its own, name its file with --ca-file at login")
        case .certificateDate:
            let hint = clock.map { clock in
                "this machine's clock says \(TimeText.minute(clock().wall.seconds)); if it is right, tell the server's operator"
            }
            self.init(.badCertificate, reason, hint: hint ?? "")
        case .nameNotFound: self.init(.unreachable, reason, hint: "check the address and the network")
        case .proxy: self.init(.unreachable, reason, hint: "check --proxy at login, or the environment's http_proxy")
        case .askedToWait: self.init(.askedToWait, reason, hint: Self.waitHint)
        case .serverTrouble: self.init(.badAnswer, reason, hint: Self.troubleHint)
        case .answerTooLarge, .badAnswer: self.init(.badAnswer, reason, hint: Self.portalHint)
        case .tls:
            // Never advise going without TLS: an attacker on the way may want just that.
            self.init(.unreachable, reason, hint: "check the server's address and port; someone may be between")
        case .unreachable, .timeout, .connectionLost, .cancelled, .other:
            self.init(.unreachable, reason, hint: "nothing is lost; try again when the network is back")
        }
    }

    init(_ error: ProtocolError) {
        if error.isSessionOver {
            self = .sessionOver
            return
        }
        switch error.serverTrouble {
        case .asksToWait:
            self.init(.askedToWait, error.reason.onOneLine, hint: Self.waitHint)
            return
        case .inTrouble:
            self.init(.badAnswer, error.reason.onOneLine, hint: Self.troubleHint)
            return
        case .notOurs, nil: break
        }
        switch error.kind {
        case .refused(_, .notFound, _): self.init(.unknownName, error.reason.onOneLine)
        case .refused: self.init(.refused, error.reason.onOneLine)
        case .plain, .notOurServer, .malformed:
            self.init(.badAnswer, error.reason.onOneLine, hint: Self.portalHint)
        }
    }

    // MARK: What several places have to say

    static let notLoggedIn = Failure(
        .notLoggedIn, "no one is logged in on this profile",
        hint: "`waxwing login NAME --server URL`, or `waxwing register` for a new account")
    static let sessionOver = Failure(
        .sessionOver, "the session is over: the server ended it",
        hint: "`waxwing login NAME` starts a new one; nothing that waits is lost")
    static let interrupted = Failure(.interrupted, "interrupted: nothing was changed")
    static let profileInUse = Failure(
        .profileInUse, "another process is connected with this profile",
        hint: "stop the other `waxwing watch` or `waxwing sync`, or use its output")

    static func unusableAnswer(_ trouble: Trouble, _ names: Names) throws -> Failure {
        Failure(.badAnswer, try trouble.words(names), hint: portalHint)
    }

    /// No one is logged in, because the server ended the session or someone logged out here.
    static func signedOut(isOver: Bool) -> Failure {
        if isOver { return .sessionOver }
        return Failure(
            .notLoggedIn, "no one is logged in on this profile",
            hint: "`waxwing login` starts a session; nothing that waits is lost")
    }

    static func signedOut(_ reader: AccountReader) throws -> Failure {
        signedOut(isOver: try reader.isSessionOver)
    }

    private static let waitHint = "nothing is lost; try again when that time is over"
    private static let troubleHint = "nothing is lost; try again later"
    static let roomHint = "make room, then try again"
    private static let folderHint = "check the folder's owner and permissions, and that the disk can be written"
    static let damageHint = "nothing was changed; restore the profile, or log in on a new one: --profile NAME"
    private static let portalHint =
        "check the address; a network with a login page (a captive portal) answers like this, too"
}
