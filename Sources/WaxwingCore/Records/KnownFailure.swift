/// Reasons for which a row of the outbox failed that a program may want to tell apart. The raw value is what people read, and what is stored.
public enum KnownFailure: String, CaseIterable, Sendable {
    case unknownUser = "the server knows no user of this name"
    case neitherMemberNorInvited = "neither a member of the group nor invited to it"
}

extension OutboxRow {
    /// Nil while the row has not failed, and for all other reasons.
    public var knownFailure: KnownFailure? {
        if case .failed(let reason) = state { KnownFailure(rawValue: reason) } else { nil }
    }
}
