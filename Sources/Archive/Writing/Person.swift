import ConclaveProtocol

/// A person as each of the files names them, built once.
final class Person: Sendable {
    let shownName: String
    /// What their lines have in the middle of ``RowLine``, and at the beginning in a transcript.
    let inMessages: [UInt8]
    let inMarkdown: [UInt8]
    let inHTML: [UInt8]

    init(_ user: ArchiveUser) {
        shownName = Self.name(of: user.id, user.shownName.isEmpty ? user.username : user.shownName)
        inMessages = RowLine.sender(user.id, user.username)
        inMarkdown = Markdown.sender(shownName)
        inHTML = HTML.sender(shownName)
    }

    /// A name to show for a person.
    static func name(of id: ID, _ name: String) -> String {
        name.isEmpty ? "user-" + hexEncode(id.bytes.prefix(4)) : name
    }
}
