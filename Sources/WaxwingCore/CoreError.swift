public import ConclaveProtocol

/// Why a command cannot be carried out. Nothing has changed.
public enum CoreError: Error, Hashable, Sendable {
    // MARK: The account

    /// No one has signed in on this profile.
    case notSignedIn
    /// The profile belongs to this user at this server.
    case otherAccount(username: String, server: String)
    /// The client is connected already.
    case alreadyRunning
    /// The system gives no random bytes.
    case noRandomness
    /// What was asked for has left no trace in the outbox: what is stored is inconsistent.
    case requestLost

    // MARK: Names

    case unknownGroup
    /// Several groups have this name; their ids tell them apart.
    case ambiguousGroup
    /// No one with this name and id is known here.
    case unknownUser
    /// No such key of this user has been seen.
    case unknownKey
    /// Several users have this name; these forms tell them apart.
    case ambiguousUser(forms: [String])
    /// The server does not call the user that.
    case notTheirName
    case unknownInvite
    case unknownOutboxRow(UInt64)

    // MARK: What the account's state does not allow

    /// We are not in the group.
    case groupClosed(GroupEnd)
    case groupBeingCreated
    /// We are in a group of this name.
    case groupNameInUse(String)
    case cannotInviteYourself
    /// To go, leave the group.
    case cannotRemoveYourself
    /// Another member or key is in that place by now.
    case memberChanged
    /// The member has our own user id, but is not us.
    case memberInOurName
    /// The last member was not added by a commit.
    case notAddedByCommit
    /// A row that may have reached the server already. The next sync will tell.
    case mayHaveArrived(UInt64)

    // MARK: Input

    case invalidInput(InputProblem)
    case emptyMessage
    /// A text of `bytes` bytes of UTF-8; one message holds at most `limit`.
    case messageTooLong(bytes: Int, limit: Int)
    /// Rows that cannot be those of a group's log.
    case invalidHistory
}
