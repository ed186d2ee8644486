import ConclaveProtocol
import WaxwingCore

/// What the core refuses to do, in words.
extension Failure {
    init(_ error: CoreError) {
        switch error {
        case .notSignedIn: self = .notLoggedIn
        case .otherAccount(let username, let server):
            self.init(
                .notPossible, "this profile belongs to \(username.onOneLine) at \(server.onOneLine)",
                hint: "use another profile for this account: --profile NAME")
        case .alreadyRunning: self.init(.notPossible, "this program is already connected")
        case .noRandomness: self.init(.other, "the system gives no random bytes")
        case .requestLost:
            self.init(.profileDamaged, "what you asked for is not in the outbox", hint: Self.damageHint)
        case .unknownGroup:
            self.init(.unknownName, "there is no such group", hint: "`waxwing group list` shows your groups")
        case .ambiguousGroup:
            self.init(
                .unknownName, "several groups have this name", hint: "use its id: `waxwing group list --json`")
        case .unknownUser: self.init(.unknownName, "no one with this name and id is known here")
        case .unknownKey: self.init(.unknownName, "no such key of this user has been seen yet")
        case .ambiguousUser(let forms):
            self.init(.usage, "several users have this name; say which: \(forms.joined(separator: ", "))")
        case .notTheirName: self.init(.notPossible, "the server does not call them that")
        case .unknownInvite:
            self.init(
                .unknownName, "there is no such invite",
                hint: "`waxwing sync` fetches invites, `waxwing invites` shows them")
        case .unknownOutboxRow(let order):
            self.init(
                .unknownName, "the outbox has no row \(order)", hint: "`waxwing outbox list --all` shows what waits")
        case .groupClosed(let end):
            self.init(.notPossible, end.words, hint: "its history can still be read with `waxwing read`")
        case .groupBeingCreated: self.init(.notPossible, "the group is still being created")
        case .groupNameInUse(let name): self.init(.usage, "you are already in a group named \(name.onOneLine)")
        case .cannotInviteYourself: self.init(.notPossible, "you cannot invite yourself")
        case .cannotRemoveYourself:
            self.init(.notPossible, "you cannot remove yourself", hint: "`waxwing group leave` leaves the group")
        case .memberChanged:
            self.init(.notPossible, "someone else is in that place by now", hint: "look again: `waxwing trust list`")
        case .memberInOurName:
            self.init(
                .notPossible, "this member has your name, but is not you",
                hint: "remove them, or leave the group")
        case .notAddedByCommit: self.init(.notPossible, "the last member was not added by a commit")
        case .mayHaveArrived(let order):
            self.init(.notPossible, "row \(order) may have reached the server already; the next sync will tell")
        case .invalidInput(let problem): self.init(.usage, "\(problem)")
        case .emptyMessage: self.init(.usage, "there is nothing to send")
        case .messageTooLong(let bytes, let limit):
            self.init(.usage, "the text is \(bytes) bytes long; one message holds at most \(limit)")
        case .invalidHistory: self.init(.archiveDamaged, "these rows are not those of a group's log")
        }
    }
}
