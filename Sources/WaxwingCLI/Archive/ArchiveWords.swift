import Archive
import ConclaveProtocol
import WaxwingCore

/// Describes archives in words.
enum ArchiveWords {
    static func size(_ bytes: UInt64) -> String {
        func tenths(_ unit: UInt64) -> String { "\(bytes / unit).\(bytes % unit * 10 / unit)" }
        return switch bytes {
        case ..<1000: "\(bytes) bytes"
        case ..<1_000_000: tenths(1000) + " kB"
        case ..<1_000_000_000: tenths(1_000_000) + " MB"
        default: tenths(1_000_000_000) + " GB"
        }
    }

    static func span(_ span: ArchiveSpan?) -> String {
        span.map { TimeText.minute($0.from) + " to " + TimeText.minute($0.to) } ?? "nothing"
    }

    /// `1 to 40, missing 3, 17 to 19`
    static func numbers(_ group: ArchiveTrailer.Group) -> String {
        func list(_ ranges: [ArchiveTrailer.Range]) -> String {
            ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first) to \($0.last)" }.joined(separator: ", ")
        }
        var text = list(group.ranges)
        if group.gapCount > 0 {
            text += ", missing " + list(group.gaps) + (group.gapCount > UInt64(group.gaps.count) ? " and more" : "")
        }
        let unreadable = group.unreadable.values.reduce(0, &+)
        if unreadable > 0 { text += ", \(unreadable) could not be opened" }
        return text
    }

    /// The lines that describe a complete archive and its groups.
    static func lines(_ archive: ArchiveReader) -> [String] {
        let trailer = archive.trailer
        var lines: [String] = []
        for group in trailer.groups {
            let name = group.name.isEmpty ? String(group.id.prefix(8)) : group.name.onOneLine
            lines.append("  \(name)  \(group.rows) lines, \(span(group.span)), no. \(numbers(group))")
        }
        if trailer.groups.isEmpty { lines.append("  no lines") }
        if trailer.waiting > 0 { lines.append("  \(trailer.waiting) lines had no place in the log, and were left out") }
        if let previous = trailer.previous { lines.append("  continues \(previous)") }
        lines.append("  id \(archive.end.id)")
        return lines
    }

    static func text(_ finding: ArchiveChain.Finding, _ names: [String: String]) -> String {
        func name(_ id: String) -> String { names[id] ?? String(id.prefix(16)) + "…" }
        switch finding {
        case .missing(let previous, let next):
            return "\(name(next)) continues an archive that is not here: id \(previous)"
        case .doubled(let id): return "\(name(id)) is given more than once"
        case .forked(let id, let into):
            return "more than one archive continues \(name(id)): \(into.map(name).joined(separator: ", "))"
        case .unfit(let id): return "\(name(id)) does not begin where the one before it ends"
        case .otherAccount(let id): return "\(name(id)) is another account's"
        case .otherKey(let id):
            return
                "\(name(id)) is signed with another key than the one before it; name both keys with --signer if that is right"
        case .severalBeginnings(let ids):
            return
                "these continue no other archive, so they are not one chain: \(ids.map(name).joined(separator: ", "))"
        }
    }
}

/// Whose signature an archive has, as far as this machine can tell.
enum SignerTrust: String, Encodable {
    /// The key of this profile's account.
    case own
    /// The key that this profile trusts for the archive's account.
    case trusted
    /// This profile knows another key of the archive's account.
    case other
    /// The account is not known here.
    case unknown

    /// - Parameter reader: nil if there is no profile.
    init(_ fingerprint: String, of account: ID, _ reader: AccountReader?) throws {
        guard let reader, let own = try reader.account() else {
            self = .unknown
            return
        }
        if own.userID == account {
            self = own.fingerprint == fingerprint ? .own : .other
            return
        }
        let known = try reader.user(account)?.fingerprint ?? ""
        self = known.isEmpty ? .unknown : known == fingerprint ? .trusted : .other
    }

    var words: String {
        switch self {
        case .own: "with the key of this profile"
        case .trusted: "with the key that is trusted here for this account"
        case .other: "not with the key that this profile knows for the account; it may be one from before a new login"
        case .unknown: "with a key that is not known here"
        }
    }
}
