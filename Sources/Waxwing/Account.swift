public import ConclaveProtocol
import MLSOpenSSL
import Synchronization
import WaxwingClient
public import WaxwingCore

/// A messenger account on this machine: the object an app holds.
///
/// An account lives in a folder, its profile. Every request is safe on disk when its call returns, with or without a
/// network, and goes out when ``sync()`` or ``stayConnected()`` talks to the server. Read what came in from disk, with
/// ``groups()`` and ``history(of:after:limit:)``, or as it comes, with ``updates(after:)``.
///
/// ```swift
/// let account = try Account.open(at: "/var/lib/bot")
/// if try !account.isSignedIn { try await account.signIn("bot", password: secret, server: "https://chat.example.org") }
/// try await account.send("Good morning", to: account.group(named: "lunch").id)
/// try await account.sync()
/// ```
///
/// Several processes may have a profile open; one of them at a time is connected. Safe to use from any task.
public final class Account: Sendable {
    /// Nil if the account's store was given as a value.
    package let profile: Profile?
    package let client: Client
    package let environment: Environment
    package let reader: AccountReader
    private let store: any Store
    let way: ServerWay
    let bells: Bells
    private let isClosed = Mutex(false)

    /// Opens the account in a folder. Makes the folder and its store if they are missing.
    ///
    /// - Parameters:
    ///   - folder: the profile's folder, made with mode 0700.
    ///   - store: the kind of a new store. An existing one is used as it is.
    ///   - environment: network, clocks and randomness.
    /// - Throws: ``AccountError`` if the folder cannot be used, `StoreError` if the store cannot.
    public static func open(
        at folder: String, store: StoreKind = .sqlite, environment: Environment = .live
    ) throws -> Account {
        let profile = Profile(folder: folder)
        try profile.prepare()
        let store = try profile.openOrMakeStore(nil, standard: store, recovers: true)
        let account = try Account(profile, store, environment)
        if let known = try account.reader.account() {
            try account.connect(to: known.serverURL, ServerSettings.load(profile.settingsPath))
        }
        return account
    }

    /// An account in a store of any kind, such as one in memory, for apps that have no folder. Nothing keeps another
    /// process from using the same store.
    ///
    /// - Throws: `StoreError`, and what `environment` throws when it makes the way to the server.
    public static func open(
        store: any Store, settings: ServerSettings = ServerSettings(), environment: Environment = .live
    ) throws -> Account {
        let account = try Account(nil, store, environment)
        if let known = try account.reader.account() { try account.connect(to: known.serverURL, settings) }
        return account
    }

    package init(
        _ profile: Profile?, _ store: any Store, _ environment: Environment,
        onNotice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) throws {
        let (way, bells) = (ServerWay(), Bells())
        self.profile = profile
        self.store = store
        self.environment = environment
        self.way = way
        self.bells = bells
        reader = AccountReader(store: store)
        client = try Client(
            store: store, transport: way, provider: OpenSSLProvider(), entropy: environment.entropy,
            clock: environment.clock, pace: environment.pace
        ) { notice in
            onNotice(notice)
            bells.ring(notice)
        }
    }

    /// Sets the way to the server from now on.
    ///
    /// - Parameter kind: nil for the one in the settings.
    package func connect(to url: String, _ settings: ServerSettings, _ kind: TransportKind? = nil) throws {
        let route = ServerRoute(url: url, settings: settings, transport: kind ?? settings.transport ?? .auto)
        way.current = ServerWay.Way(transport: try environment.transport(route), settings: settings)
    }

    /// Ends the current connection and closes the store, so that another process may move or delete the profile. Later
    /// calls on the account fail. Nothing is lost if an account is released without this call.
    ///
    /// - Throws: `StoreError` if the store cannot be closed properly; it is closed anyway.
    public func close() async throws {
        isClosed.withLock { $0 = true }
        await client.end()
        if let profile, let store = store as? LeasedStore {
            try store.close { (store) throws(StoreError) in try profile.close(store) }
        }
    }

    func checkOpen() throws {
        if isClosed.withLock({ $0 }) { throw AccountError.closed }
    }

    // MARK: Who it is

    /// Whether there is a session. Without one, everything works except what needs the server.
    public var isSignedIn: Bool { get throws { try reader.account()?.token != nil } }

    /// Nil before the first sign-in.
    public var userID: ID? { get throws { try reader.account()?.userID } }

    /// Nil before the first sign-in.
    public var username: String? { get throws { try reader.account()?.username } }

    /// Lower-case hex SHA-256 of the account's public signature key, for comparison by hand; nil before the first
    /// sign-in.
    public var fingerprint: String? { get throws { try reader.account()?.fingerprint } }
}

/// The way to the server, which may be set after the client is made.
final class ServerWay: Transport {
    struct Way {
        let transport: any Transport
        /// What it was made with.
        let settings: ServerSettings
    }

    private let way = Mutex<Way?>(nil)

    /// What is in use; nil as long as no server is known.
    var current: Way? {
        get { way.withLock { $0 } }
        set { way.withLock { $0 = newValue } }
    }

    private static let none = TransportError(.notSent, .other, "no server is known yet")

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        guard let current else { throw Self.none }
        return try await current.transport.send(request)
    }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        guard let current else { return AsyncThrowingStream { $0.finish(throwing: Self.none) } }
        return current.transport.events(token: token)
    }
}
