import ConclaveProtocol
import FoundationEssentials

/// `manifest.json`: describes an archive to those who open it with the tools of the system.
struct Manifest: Codable, Hashable {
    struct Person: Codable, Hashable {
        var id: String
        var username: String
        var fingerprint: String
    }

    /// The range of times, in Unix seconds and as text.
    struct Span: Codable, Hashable {
        var from: UInt64
        var fromUTC: String
        var to: UInt64
        var toUTC: String

        init(_ span: ArchiveSpan) {
            (from, to) = (span.from, span.to)
            (fromUTC, toUTC) = (TextBuffer.utc(span.from), TextBuffer.utc(span.to))
        }
    }

    struct Group: Codable, Hashable {
        var id: String
        var name: String
        var alias: String
        var rows: UInt64
        var span: Span?
        var status: String
        var mlsGroupID: String
        var joinedEpoch: UInt64
        var members: [String]
    }

    var format: Int
    var account: Person
    var server: String
    var rows: UInt64
    var span: Span?
    var previous: String?
    var groups: [Group]

    init(_ contents: ArchiveContents, _ tallies: [GroupTally]) {
        let summaries = Dictionary(uniqueKeysWithValues: tallies.map { ($0.group.id, $0.summary) })
        format = ArchiveTrailer.format
        account = Person(
            id: contents.account.id.description, username: contents.account.username,
            fingerprint: contents.account.fingerprint)
        server = contents.server
        rows = summaries.values.reduce(0) { $0 + $1.rows }
        span = ArchiveSpan.covering(tallies.compactMap(\.span)).map(Span.init)
        previous = contents.previous?.id
        groups = contents.groups.sorted { $0.id < $1.id }.map { group in
            Group(
                id: group.id.description, name: group.name, alias: group.alias,
                rows: summaries[group.id]?.rows ?? 0, span: (summaries[group.id]?.span).map(Span.init),
                status: group.status,
                mlsGroupID: hexEncode(group.mlsGroupID), joinedEpoch: group.joinedEpoch,
                members: group.members.sorted().map(\.description))
        }
    }

    static func text(_ contents: ArchiveContents, _ tallies: [GroupTally]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return [UInt8](try encoder.encode(Manifest(contents, tallies))) + [UInt8(ascii: "\n")]
    }
}

/// `README.txt`: how to read it without Waxwing.
enum Readme {
    static let text = Array(
        """
        An archive of conversations, written by Waxwing.

        You have opened it with age, zstd and tar:

            age -d FILE | zstd -d | tar -x

        transcript.html   to read and to print, in any browser; it holds no program and loads nothing
        transcript.md     the same as text
        messages.jsonl    one JSON object a line: every message, every change of the group, every line that could not be opened
        members.jsonl     the people in it
        manifest.json     what this is, whose, and from when to when
        trailer.json      how much there is and what is missing, hashes, and a signature

        Messages stand in the order of group, numbering (era) and sequence number. Times are those of the server.
        "sha256" is that of the message as the server kept it, sealed.

        How it can be checked without Waxwing: in trailer.json, the value of "archive" is signed, byte for byte as it stands there, behind the
        line "Waxwing archive 1", with the key "publicKey" (suite 6 is Ed448). It names the SHA-256 of each text file. Lines of the .jsonl files
        stand there in blocks, each with a "root": the SHA-256 of a byte 1 and behind it the SHA-256 of every line of the block, with its end,
        32 bytes each. The "root" of the archive is the same over the roots of the blocks. `waxwing archive verify FILE` does all of it.

        """.utf8)
}
