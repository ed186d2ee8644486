public import ConclaveProtocol
public import WaxwingCore

/// Why an account cannot do what it was asked for, if the reason is not the store, the network or the server.
///
/// Those have errors of their own: `StoreError`, `TransportError`, `ProtocolError` (the server's refusals), and
/// `CoreError` for what the account's state does not allow.
public enum AccountError: Error, Hashable, Sendable {
    // MARK: Signing in

    /// No one has ever signed in on this profile.
    case notSignedIn
    /// There is no session: the server ended it (`isOver`), or someone signed out here. The outbox is kept, and goes
    /// out after the next sign-in.
    case signedOut(isOver: Bool)
    case wrongPassword
    /// The server signed in a different user than the one asked for.
    case signedInAsAnother
    /// The account is made on the server, but signing in failed: sign in, and do not register again.
    case registeredOnly(Trouble)
    /// The profile belongs to this user at this server.
    case anotherAccount(username: String, server: String)
    /// The profile has an account already.
    case accountExists
    /// The name is taken on the server.
    case usernameTaken
    /// The server accepts no new accounts, or none without a registration token.
    case registrationClosed(Trouble)
    /// No server was named for the new account.
    case serverUnknown
    /// The address is not http or https with a host, or carries a password or a query.
    case invalidServerAddress
    /// An http address of another machine: the password could be read on the way.
    case exposedServerAddress(String)
    /// A username, alias or password breaks a rule.
    case invalidInput(InputProblem)

    // MARK: The profile's files

    /// The account was closed by this program.
    case closed

    /// Another process has the profile open.
    case openElsewhere
    /// The profile is being moved into another store.
    case beingConverted
    /// There is a store of another kind than the one asked for.
    case keptOtherwise(StoreKind)
    /// A file of the profile cannot be used; with the system's error number, such as `ENOSPC`.
    case fileUnusable(path: String, systemError: Int32)
    /// A file of the profile cannot be removed.
    case fileStays(path: String, systemError: Int32)
    /// A small file of the profile cannot be understood.
    case fileDamaged(path: String)
    /// There are two stores, and they differ.
    case storesDiffer(String, String)
    /// There are two stores, and one of them is damaged.
    case secondStoreDamaged(StoreError)
    /// A copy of the store differs from its original; nothing was changed.
    case copyDiffers
    /// Someone stopped it; nothing was changed.
    case interrupted
    /// A name is 1 to 64 letters, digits, dots, hyphens and underscores, and does not begin with a dot.
    case invalidProfileName
    /// Neither `WAXWING_HOME`, `XDG_DATA_HOME` nor `HOME` is set.
    case noHome
    /// The earlier archive belongs to another account.
    case archiveOfAnother
    /// What a recording gives is no way to a server.
    case recordedTransport
    /// A file named for the way to the server does not exist; with the system's error number.
    case pathUnusable(path: String, systemError: Int32)
}
