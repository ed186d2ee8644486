import ConclaveProtocol

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
        text.append(user.isVerified ? #","verified":true}"# : #","verified":false}"#)
    }
}
