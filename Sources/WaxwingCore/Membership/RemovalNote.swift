/// What a commit says in its `authenticated_data` about someone who goes: that its author leaves, or why the author's
/// client removed someone from the tree without being asked. So all members, and those who read it days later, are told
/// the same.
///
/// It is the committer's word, under the committer's signature. Whoever sees it also sees whose client it was. Other
/// clients ignore the field.
enum RemovalNote: UInt8, Sendable {
    /// The roster listed the user and then did not, with no Remove in the log: the user left, or closed the account.
    case left = 1
    /// The roster does not list the user, and the server may have been restored to an earlier day.
    case unlisted = 2
    /// The author leaves. No one can commit their own removal (RFC 9420 §12.2), so it changes only their keys; then
    /// others remove them.
    case leaving = 3

    /// "Wax", and the version of what follows.
    private static let mark: [UInt8] = [0x57, 0x61, 0x78, 1]

    var authenticatedData: [UInt8] { Self.mark + [rawValue] }

    /// Nil if there is none.
    init?(authenticatedData: [UInt8]) {
        guard authenticatedData.count == Self.mark.count + 1, authenticatedData.starts(with: Self.mark),
            let last = authenticatedData.last
        else { return nil }
        self.init(rawValue: last)
    }
}
