import FileStore
import FixtureTransport
import HTTPTransport
import MLSOpenSSL
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// The only place of the program that chooses implementations.
extension Profile {
    /// Reads what is on disk. Needs no network and changes nothing, so the disk may be full, or mounted read-only.
    ///
    /// - Throws: ``Failure`` `notLoggedIn`, or `StoreError`.
    func openReader() throws -> AccountReader {
        AccountReader(store: try openStoreToRead())
    }

    /// Opens the account of somebody who has logged in at some time.
    ///
    /// - Parameter toRead: nothing is changed; whatever would change something fails.
    /// - Throws: ``Failure``, `StoreError`, `TransportError`.
    func open(toRead: Bool = false, onNotice: @escaping @Sendable (Notice) -> Void = { _ in }) throws -> Client {
        let store = toRead ? try openStoreToRead() : try openStore()
        guard let account = try AccountReader(store: store).account() else { throw Failure.notLoggedIn }
        var settings = try Settings.load(settingsPath)
        if ServerAddress.tellOnce(account.serverURL, &settings) {
            // Where it cannot be noted, it is said again.
            try? settings.save(settingsPath)
        }
        return try client(store, account.serverURL, settings, onNotice)
    }

    /// Opens the account for a login; the store is made where there is none.
    func open(
        serverURL: String, _ settings: Settings, _ kind: StoreKind?, onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Client {
        try client(try openOrMakeStore(kind), serverURL, settings, onNotice)
    }

    private func client(
        _ store: any Store, _ serverURL: String, _ settings: Settings, _ onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Client {
        let kind = try TransportKind.wanted(self, settings).absolute()
        let isNew = try AccountReader(store: store).account() == nil
        if case .replay(let path) = kind, Surroundings.current.isLive {
            try Rehearsal.claim(self, path, isNew: isNew)
            try Rehearsal.begin(self, path)
        } else {
            try Rehearsal.claim(self, Surroundings.current.recording, isNew: isNew)
        }
        let surroundings = Surroundings.current
        let route = ServerRoute(url: serverURL, settings: settings, transport: kind)
        return try Client(
            store: store, transport: try surroundings.transport(route),
            provider: OpenSSLProvider(), entropy: surroundings.entropy, clock: surroundings.clock,
            pace: surroundings.pace
        ) { notice in
            // Whatever the command: a wrong clock is nothing that it has asked for, and nothing that it looks out for.
            if case .clocksDiffer(let ours, let server) = notice { Console.note(ClockWords.differ(ours, server)) }
            onNotice(notice)
        }
    }

    /// Opens the store that is there.
    ///
    /// - Throws: ``Failure`` `notLoggedIn` where there is none, `profileInUse` while it is being moved.
    func openStore() throws -> any Store {
        guard try exists() else { throw Failure.notLoggedIn }
        let lease = try shareStore()
        guard let kind = try storeKind() else { throw Failure.notLoggedIn }
        return leased(try open(kind: kind, mustExist: true), kind, lease)
    }

    private func leased(_ store: any Store, _ kind: StoreKind, _ lease: ConnectionLease) -> LeasedStore {
        LeasedStore(store: store, lease: lease) { (store) throws(StoreError) in
            leave(store)
            return try openToRead(kind: kind)
        }
    }

    /// The same for reading only: nothing in the profile is changed or made.
    func openStoreToRead() throws -> any Store {
        guard try exists() else { throw Failure.notLoggedIn }
        let lease = try shareStoreToRead()
        guard let kind = try storeKindToRead() else { throw Failure.notLoggedIn }
        return LeasedStore(store: try openToRead(kind: kind), lease: lease)
    }

    /// Opens the store that is there; where there is none, makes one of the sort that was asked for.
    private func openOrMakeStore(_ wanted: StoreKind?) throws -> any Store {
        let lease = try shareStore()
        guard let kind = try storeKind() else {
            let kind = try wanted ?? StoreKind.wanted
            return leased(try open(kind: kind), kind, lease)
        }
        if let wanted, kind != wanted {
            throw Failure(
                .notPossible, "this profile is kept as \(kind.rawValue)",
                hint: "`waxwing store convert \(wanted.rawValue)` moves it")
        }
        return leased(try open(kind: kind, mustExist: true), kind, lease)
    }

    /// Opens a store of this sort at its own place, or at another one.
    ///
    /// - Parameter mustExist: make nothing where nothing is.
    func open(kind: StoreKind, at path: String? = nil, mustExist: Bool = false) throws(StoreError) -> any Store {
        switch kind {
        case .sqlite: try SQLiteStore(path: path ?? storePath(kind), mustExist: mustExist)
        case .files: try FileStore(path: path ?? storePath(kind), mustExist: mustExist)
        }
    }

    /// Opens a store of this sort for reading.
    func openToRead(kind: StoreKind) throws(StoreError) -> any Store {
        switch kind {
        case .sqlite: try SQLiteReader(path: storePath(kind))
        case .files: try FileStore(reading: storePath(kind))
        }
    }

    /// Closes a store that is in trouble.
    private func leave(_ store: any Store) {
        switch store {
        // What cannot be closed as it should be is closed all the same.
        case let store as SQLiteStore: try? store.close()
        case let store as FileStore: store.close()
        default: break
        }
    }

    /// Closes a store so that its one file or folder holds all of it.
    func close(_ store: any Store) throws(StoreError) {
        switch store {
        case let store as SQLiteStore: try store.consolidate()
        case let store as FileStore: store.close()
        default: break
        }
    }
}

extension Surroundings {
    /// The real ones.
    static var live: Surroundings {
        Surroundings(
            isLive: true,
            transport: { route in
                var options = HTTPTransport.Options(server: route.url)
                options.certificateAuthorities = route.settings.caFile
                options.proxy = route.settings.proxy
                options.tokenHeader = route.settings.tokenHeader
                switch route.transport {
                case .auto: options.feed = .auto
                case .sse: options.feed = .sse
                case .poll: options.feed = .poll
                case .replay: throw Failure(.usage, "what a recording gives cannot be recorded again")
                }
                options.onFallback = { Console.note($0) }
                return try HTTPTransport(options)
            },
            clock: { .ofMachine }, entropy: SystemEntropy(), pace: LivePace(),
            password: { source in try source.read() }, read: systemRead,
            sleep: { milliseconds in try await Task.sleep(for: .milliseconds(milliseconds)) })
    }

    /// These, with everything that comes from them written down.
    func recorded(by recorder: Recorder) -> Surroundings {
        Surroundings(
            isLive: false, transport: { [transport] route in recorder.transport(try transport(route)) },
            clock: recorder.clock(clock),
            entropy: recorder.entropy(entropy), pace: recorder,
            password: { [password] source in
                let text = try password(source)
                recorder.password(text)
                return text
            },
            read: { [read] (descriptor, count) throws(Failure) in
                let bytes = try read(descriptor, count)
                recorder.input(bytes)
                return bytes
            }, sleep: sleep)
    }

    /// What a recording gives, and nothing else.
    ///
    /// - Parameter path: of the recording.
    static func played(by player: Player, from path: String) -> Surroundings {
        Surroundings(
            isLive: false, recording: path, transport: { _ in player.transport }, clock: player.clock,
            entropy: player.entropy,
            pace: player,
            password: { _ in player.password() }, read: { _, _ throws(Failure) in player.input() }, sleep: { _ in })
    }
}
