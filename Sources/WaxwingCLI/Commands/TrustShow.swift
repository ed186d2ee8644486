import ArgumentParser
import ConclaveProtocol
import WaxwingCore
import Waxwing

struct TrustShow: Action {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show fingerprints: your own and those of people in your groups.",
        discussion: """
            Example:
              waxwing trust show bob
            """)

    @Argument(help: "A username or id; everyone in your groups if none is given.")
    var username: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let reader = try Profile.locate(profile).openReader()
        guard let account = try reader.account() else { throw Failure.notLoggedIn }
        let users: [(id: ID, record: UserRecord)]
        if let username {
            users = [try reader.theUser(username)]
        } else {
            let ids = Set(
                try reader.groups().flatMap { try reader.membership($0.id).roster.map(\.user) } + [account.userID])
            users = try ids.compactMap { id in try reader.user(id).map { (id, $0) } }
        }
        let names = Names(reader)
        for view in try users.map({ try TrustView($0.id, reader, names) }).sorted(by: { $0.username < $1.username }) {
            Console.print(output.json ? try JSON.line(view) : view.text)
        }
    }
}

/// How far a user's key is trusted.
struct TrustView: Encodable {
    var username: String
    var userID: String
    /// own, verified, seen, changed or unknown.
    var trust: String
    /// Lower-case hex SHA-256 of the trusted key.
    var fingerprint: String?
    /// The same of the key that is shown now, if it is another.
    var changedFingerprint: String?
    /// The server's current name for them, if it is another one.
    var claimedName: String?

    init(_ id: ID, _ reader: AccountReader, _ names: Names) throws {
        let record = try reader.user(id)
        username = try names.username(id)
        userID = id.description
        trust = try reader.account()?.userID == id ? "own" : record?.trust ?? "unknown"
        fingerprint = record.flatMap { $0.fingerprint.isEmpty ? nil : $0.fingerprint }
        changedFingerprint = record.flatMap { $0.changedFingerprint.isEmpty ? nil : $0.changedFingerprint }
        claimedName = try reader.claimedName(of: id)
    }

    var text: String {
        let words =
            switch trust {
            case "own": "you"
            case "verified": "compared by hand"
            case "seen": "as first seen"
            case "changed": "CHANGED: compare it before you trust it"
            default: "no key seen yet"
            }
        var lines = ["\(username.onOneLine)  (\(words))"]
        if let fingerprint { lines.append("  \(Fingerprint.grouped(fingerprint))") }
        if let changedFingerprint { lines.append("  now \(Fingerprint.grouped(changedFingerprint))") }
        if let claimedName {
            lines.append("  \(NameWords.claim(claimedName)) (waxwing trust rename \(username))")
        }
        return lines.joined(separator: "\n")
    }
}
