import Testing

extension EndToEnd {
    /// Attacks that must fail, with real processes: a server that lies, and members with clients of their own.
    ///
    /// The attacker cannot read what is written after the attack, and the honest members' histories tell what happened.
    /// Each attack is played in one ``Variant``, a different one each time; `make attacks` plays all.
    ///
    /// | attack | tests |
    /// |---|---|
    /// | the server lets in a ghost and deletes that row; gives it a friend's name | `+Doors` |
    /// | a new id joins a private room from outside, also once the server made it public | `+Doors`, `RoomTests` |
    /// | an ordinary member takes the admin's place | `+Doors` |
    /// | a second leaf, of another or of one's own | `+Doors` |
    /// | a new key of someone seen or verified | `RoomTests` |
    /// | the server's key package in place of a contact's | `+Invites` |
    /// | an unsolicited Welcome | `+Invites` |
    /// | an ordinary member adds a stranger, removes the admin, sends a ReInit or a PSK | `+Commits`, `DoorTests` |
    /// | an ordinary member sets `external_senders` | `+Commits`, `DoorTests` |
    /// | a commit whose path secrets are wrong for some | `+Commits` |
    /// | a forged claim that a profile was restored | `+Commits` |
    /// | a profile restored from a backup, or used twice | `CopiedProfileTests` |
    /// | names swapped or made alike | `NamingTests` |
    /// | the server takes a member off its roster | `+Server` |
    /// | rows dropped and renumbered: messages, and a commit | `+Server` |
    /// | two worlds at one epoch, joined later; the server restored to an older backup | `+Server` |
    /// | junk in the GroupInfo's place | `+Server`, `DoorTests` |
    /// | a broken commit in strict ordering | `StrictOrderingTests` |
    /// | junk, changed and damaged rows | `BadRowTests`, `HostileAnswerTests` |
    /// | a recording of a stranger is replayed | `StrangersRecordingTests` |
    @Suite struct AttackTests {}
}
