import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct TrustShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show fingerprints: your own and those of people in your groups.",
        discussion: """
            Example:
              waxwing trust show bob
            """)

    @Argument(help: "A username; everybody known where none is given.")
    var username: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
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
        for (id, record) in users.sorted(by: { $0.record.username < $1.record.username }) {
            let view = TrustView(id, record, isOwn: id == account.userID)
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
    /// Lower-case hex SHA-256 of the key that is trusted.
    var fingerprint: String?
    /// The one that is shown now, where it is another.
    var changedFingerprint: String?

    init(_ id: ID, _ record: UserRecord, isOwn: Bool) {
        username = record.username
        userID = id.description
        trust = isOwn ? "own" : record.trust
        fingerprint = record.fingerprint.isEmpty ? nil : record.fingerprint
        changedFingerprint = record.changedFingerprint.isEmpty ? nil : record.changedFingerprint
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
        return lines.joined(separator: "\n")
    }
}
