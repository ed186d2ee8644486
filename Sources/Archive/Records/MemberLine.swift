import ConclaveProtocol
import FoundationEssentials

/// The line of `members.jsonl` for a person.
enum MemberLine {
    static func write(_ user: ArchiveUser, to text: inout TextBuffer) {
        text.append(#"{"id":""#)
        text.append(user.id)
        text.append(#"","username":"#)
        text.append(json: user.username)
        text.append(#","alias":"#)
        text.append(json: user.alias)
        text.append(#","fingerprint":"#)
        text.append(json: user.fingerprint)
        text.append(user.isVerified ? #","verified":true"# : #","verified":false"#)
        text.append("}\n")
    }

    private struct Line: Decodable {
        var id: String
        var username: String
        var alias: String
        var fingerprint: String
        var verified: Bool
    }

    /// - Parameter line: with or without its end.
    /// - Throws: `damaged`.
    static func parse(_ line: [UInt8]) throws(ArchiveError) -> ArchiveUser {
        guard line.count <= 1 << 16, let line = try? JSONDecoder().decode(Line.self, from: Data(line)),
            let id = ID(text: line.id)
        else { throw ArchiveError(.damaged, "a line of members.jsonl is not as this program writes them") }
        return ArchiveUser(
            id: id, username: line.username, alias: line.alias, fingerprint: line.fingerprint, isVerified: line.verified
        )
    }
}
