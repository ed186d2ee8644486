/// Why an account cannot do what it was asked for, as far as neither the store, the network nor the server is the reason.
///
/// Those have errors of their own: `StoreError`, `TransportError`, `ProtocolError` (what the server said), and `CoreError` for what the account's
/// state does not allow.
public enum AccountError: Error, Hashable, Sendable {
    // MARK: Signing in

    /// Nobody has ever signed in on this profile.
    case notSignedIn
    /// There is no session: the server ended it (`isOver`), or somebody signed out here. What waits stays, and goes out after the next sign-in.
    case signedOut(isOver: Bool)
    case wrongPassword
    /// The server signed in somebody else than was asked for.
    case signedInAsAnother
    /// The profile belongs to this user at this server.
    case anotherAccount(username: String, server: String)
    /// The profile has an account already.
    case accountExists
    /// The name is taken on the server.
    case usernameTaken
    /// The server takes no new accounts, or none without a registration token.
    case registrationClosed(reason: String)
    /// The server of a new account was not named.
    case serverUnknown
    /// No http or https address with a host, or one that carries a password or a query.
    case invalidServerAddress
    /// An http address of another machine: the password could be read on the way.
    case exposedServerAddress(String)
    /// A username, alias or password breaks a rule; the reason is for people.
    case invalidInput(reason: String)

    // MARK: The profile's files

    /// Another process is connected with this profile.
    case connectedElsewhere
    /// Another process has the profile open.
    case openElsewhere
    /// The profile is being moved into another store.
    case beingConverted
    /// There is a store of another sort than was asked for.
    case keptOtherwise(StoreKind)
    /// A file of the profile cannot be used, with the system's number of the error, such as `ENOSPC`.
    case fileUnusable(path: String, systemError: Int32)
    /// A file of the profile cannot be removed.
    case fileStays(path: String, reason: String)
    /// A small file of the profile cannot be understood.
    case fileDamaged(path: String)
    /// There are two stores, and they differ.
    case storesDiffer(String, String)
    /// There are two stores, and one of them is damaged.
    case secondStoreDamaged(reason: String)
    /// A copy of the store is not what it was made from; nothing was changed.
    case copyDiffers
    /// Somebody stopped it; nothing was changed.
    case interrupted
    /// 1 to 64 letters, digits, dots, hyphens and underscores, and no dot in front.
    case invalidProfileName
    /// Neither `WAXWING_HOME`, `XDG_DATA_HOME` nor `HOME` is set.
    case noHome
    /// The earlier archive is another account's.
    case archiveOfAnother
    /// What a recording gives is no way to a server.
    case recordedTransport
    /// A file that is named for the way to the server is not there, with the system's number of the error.
    case pathUnusable(path: String, systemError: Int32)
}
