/// The exit codes of the process, for scripts. A number never changes its meaning; 0 is success.
enum ExitStatus: Int32, CaseIterable, Sendable {
    case other = 1
    case notLoggedIn = 3
    case wrongPassword = 4
    case sessionOver = 5
    case unknownName = 6
    case unreachable = 7
    case badCertificate = 8
    case refused = 9
    case profileUnusable = 10
    case diskFull = 11
    case profileInUse = 12
    case profileDamaged = 13
    case notPossible = 14
    case badAnswer = 15
    case diverged = 16
    case archiveDamaged = 17
    case archiveSealed = 18
    case askedToWait = 19
    case outputFailed = 20
    case held = 21
    case usage = 64
    case interrupted = 130

    var meaning: String {
        switch self {
        case .other: "any other error"
        case .notLoggedIn: "no one is logged in on this profile"
        case .wrongPassword: "wrong username or password"
        case .sessionOver: "the session has expired: log in again"
        case .unknownName: "no such group, user, invite or outbox row"
        case .unreachable: "the server cannot be reached"
        case .badCertificate: "the server's certificate is not trusted"
        case .refused: "the server refused permanently"
        case .profileUnusable: "the profile cannot be read or written"
        case .diskFull: "the disk is full"
        case .profileInUse: "another process is connected with this profile"
        case .profileDamaged: "the profile is damaged, or from a newer version"
        case .notPossible: "not possible here: a group that is closed, another account's profile, no one to remove"
        case .badAnswer: "the answer came from something other than a Conclave server, or from one in trouble"
        case .diverged: "a replay does not follow its recording, or two recordings differ"
        case .archiveDamaged:
            "a file is a damaged or truncated archive, or no archive at all, or one of a chain is missing"
        case .archiveSealed: "the archive cannot be opened: wrong passphrase or identity"
        case .askedToWait: "the server asks to wait; the request is queued"
        case .outputFailed: "standard output cannot be written; the command's effects stay"
        case .held: "the message is held: someone is in the group whom you have not accepted (waxwing trust list)"
        case .usage: "the command line, or a name or text in it, breaks a rule"
        case .interrupted: "ended by Ctrl-C"
        }
    }

    /// One line per code, for `waxwing --help`.
    static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return "  " + String(repeating: " ", count: 3 - number.count) + number + "  " + status.meaning
        }.joined(separator: "\n")
    }
}
