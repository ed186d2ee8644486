public import ConclaveProtocol

/// Everything that can happen to the client core.
public enum Input: Sendable {
    /// Someone wants something. Never needs the network.
    case perform(Command)
    /// Begin to talk to the server; `live` also listens for events. If the server asked to be left alone, it is, unless
    /// `atOnce` is set.
    case connect(live: Bool, atOnce: Bool = false)
    /// The server at this address answered a request that the core did not make; nil if all was well.
    case askedDirectly(server: String, ProtocolError?)
    /// Stop talking to the server. Requests under way are forgotten: their outcome is unknown.
    case disconnect
    /// What became of a request.
    case answered(CallID, Result<APIResponse, TransportError>)
    case feed(FeedEvent)
    /// The event feed ended, by itself or with an error.
    case feedEnded(TransportError?)
    /// Work that needs no network is waiting (``ClientCore/hasLocalWork``): do the next piece.
    case resume
    /// The moment named by ``ClientCore/nextWake`` has come.
    case wake
    /// Another process wrote to the store.
    case storeChanged
}

/// Names a request under way, until its answer is handed in.
public struct CallID: Hashable, Comparable, Sendable {
    let number: UInt64
    public static func < (a: CallID, b: CallID) -> Bool { a.number < b.number }
}

/// What one input leads to: first ``changes`` are committed, then ``effects`` are performed, in order.
public struct Batch: Sendable {
    public var changes: ChangeSet
    public var effects: [Effect]
    /// What a command led to.
    public var outcome: CommandOutcome = .nothing
}

/// Something to do for the core once the changes of its batch are on disk.
public enum Effect: Sendable {
    case send(CallID, APIRequest)
    case openFeed(token: SessionToken)
    case closeFeed
    /// Something people may want to see. Everything it tells is on disk.
    case notice(Notice)
}

/// What a person can ask for.
public enum Command: Sendable {
    /// Keep the session of a login that the server just granted. The first one also makes the signature key.
    case signIn(Session, serverURL: String)
    /// Forget the session. History, keys and the outbox stay.
    case signOut
    case createGroup(name: String, alias: String)
    case send(group: ID, text: String)
    case rotate(group: ID)
    case invite(group: ID, username: String)
    case remove(group: ID, username: String)
    case leave(group: ID)
    case rejoin(group: ID)
    case accept(invite: ID)
    case decline(invite: ID)
    /// Try a failed row again.
    case retry(order: UInt64)
    /// Give up a row.
    case discard(order: UInt64)
    /// The profile is a copy, or was restored from a backup: nothing may be sent with its old keys.
    case profileMoved
    /// Trust a user's key, and mark it as compared by hand.
    case verify(user: ID, fingerprint: String)
    /// Accept a member of a group with the key that was shown: messages may reach them.
    case acceptMember(group: ID, user: ID, fingerprint: String)
    /// People were told of these members of a group, whose key has changed, with the epoch they were told of.
    case toldOfMembers(group: ID, [ID: UInt64])
    /// Call a user what the server calls them now, as it was shown.
    case acceptName(user: ID, name: String)
    /// How much to ask about members of a group or, without one, of all groups that have no level of their own. Nil for
    /// the level of the profile.
    case trust(TrustLevel?, group: ID?)
    /// Keep the names of users that an archive knows, if none are known here. None of them is trusted.
    case importUsers([ImportedUser])
    /// Take rows of a group's history over from an archive. A group that is unknown is made, as one without keys.
    case importHistory(ImportedHistory)
}

/// What a command led to, as far as it is known at once.
public enum CommandOutcome: Hashable, Sendable {
    case nothing
    /// The row that stands for what was asked.
    case queued(OutboxRow)
    /// First login on this profile: the account's old key packages are of no use any more.
    case signedIn(newKey: Bool)
    case imported(ImportCounts)
    /// Keys are changed in at least one group, since the profile was moved.
    case moved
}

/// What can be told to people while the client works.
public enum Notice: Hashable, Sendable {
    case history(group: ID, HistoryRow)
    /// A row of the outbox was added or changed its state.
    case outbox(OutboxRow)
    /// A row of the outbox is done; for a message, with its sequence number.
    case done(OutboxRow, sequence: UInt64?)
    case invite(InviteRecord)
    /// An invite of ours was declined, was taken back by another admin, or expired.
    case inviteGone(group: ID, user: ID)
    case link(LinkState)
    /// How many rows of a group were applied in this catch-up, and how many are known to wait.
    case progress(group: ID, applied: Int, waiting: Int)
    /// The server's answer to a question of the client's own made no sense, or was a refusal; the client asks again
    /// later.
    case unusableAnswer(Trouble)
    /// A message of ours can be read by these members for the first time.
    case reached(group: ID, users: [ID])
    /// The log has a message in our name that another copy of this profile wrote, or a later state of it: all groups
    /// get new keys.
    case writtenElsewhere(group: ID)
    /// The profile was copied or restored from a backup: its keys are changed in every group before anything is sent.
    case profileMoved
    /// A user's key is not the one that was trusted.
    case identityChanged(user: ID)
    /// The server gives a user another name than the pinned one, which is still the one that is shown.
    case nameClaimed(user: ID, name: String)
    /// Our clock and the server's, both in Unix seconds, are more than an hour apart: one of them is wrong. Told once
    /// in the life of a client.
    case clocksDiffer(ours: UInt64, server: UInt64)
}

/// How things stand with the server.
public enum LinkState: Hashable, Sendable {
    case off
    case connecting
    case up
    /// Nothing gets through; the next try is due at `until`.
    case waiting(until: Deadline, trouble: TransportError?)
    /// The server wants a new login.
    case loginNeeded
}
