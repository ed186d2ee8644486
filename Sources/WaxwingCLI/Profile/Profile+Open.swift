import Machine
import FixtureTransport
import Waxwing
import WaxwingClient
import WaxwingCore

/// Opens accounts the way the command line, the environment and recordings ask for.
extension Profile {
    static func locate(_ options: ProfileOptions) throws(AccountError) -> Profile {
        var profile = try locate(options.name, environment: Machine.environment)
        profile.transport = options.transport
        return profile
    }

    /// Opens the account of someone who has logged in before.
    ///
    /// - Parameter toRead: whether to change nothing; whatever would change something fails.
    /// - Throws: ``Failure``, `AccountError`, `StoreError`, `TransportError`.
    func open(toRead: Bool = false, onNotice: @escaping @Sendable (Notice) -> Void = { _ in }) throws -> Account {
        let store = toRead ? try openStoreToRead() : try openStore()
        guard let account = try AccountReader(store: store).account() else { throw Failure.notLoggedIn }
        var settings = try ServerSettings.load(settingsPath)
        if ServerAddress.tellOnce(account.serverURL, &settings) {
            // If it cannot be recorded, it is said again.
            try? settings.save(settingsPath)
        }
        return try open(store, account.serverURL, settings, onNotice)
    }

    /// Opens the account for a login. Makes the store if there is none.
    func open(
        serverURL: String, _ settings: ServerSettings, _ kind: StoreKind?,
        onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Account {
        try open(try openOrMakeStore(kind, standard: kind ?? StoreKind.wanted), serverURL, settings, onNotice)
    }

    private func open(
        _ store: any Store, _ serverURL: String, _ settings: ServerSettings,
        _ onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Account {
        let kind = try TransportKind.wanted(self, settings).absolute()
        let isNew = try AccountReader(store: store).account() == nil
        if case .replay(let path) = kind, Surroundings.current.isLive {
            try Rehearsal.claim(self, path, isNew: isNew)
            try Rehearsal.begin(self, path)
        } else {
            try Rehearsal.claim(self, Surroundings.current.recording, isNew: isNew)
        }
        let account = try Account(self, store, Surroundings.current.environment) { notice in
            // Report these in every command: none asks for them or expects them.
            switch notice {
            case .clocksDiffer(let ours, let server): Console.note(ClockWords.differ(ours, server))
            case .profileMoved:
                Console.note(
                    "this profile was copied or restored from a backup: its keys are changed in every group before anything is sent"
                )
            default: break
            }
            onNotice(notice)
        }
        try account.connect(to: serverURL, settings, kind)
        return account
    }
}

extension Surroundings {
    /// The machine's own.
    static var live: Surroundings {
        Surroundings(
            isLive: true, environment: .live { Console.note($0) }, password: { source in try source.read() },
            read: systemRead)
    }

    /// The same surroundings, with everything that comes from them recorded.
    func recorded(by recorder: Recorder) -> Surroundings {
        var recorded = self
        recorded.isLive = false
        recorded.environment = Environment(
            transport: { [environment] route in recorder.transport(try environment.transport(route)) },
            clock: recorder.clock(environment.clock), entropy: recorder.entropy(environment.entropy), pace: recorder,
            sleep: environment.sleep)
        recorded.password = { [password] source in
            let text = try password(source)
            recorder.password(text)
            return text
        }
        recorded.read = { [read] (descriptor, count) throws(Failure) in
            let bytes = try read(descriptor, count)
            recorder.input(bytes)
            return bytes
        }
        return recorded
    }

    /// Everything from a recording, and nothing else.
    ///
    /// - Parameter path: the recording's.
    static func played(by player: Player, from path: String) -> Surroundings {
        Surroundings(
            isLive: false, recording: path,
            environment: Environment(
                transport: { _ in player.transport }, clock: player.clock, entropy: player.entropy, pace: player,
                sleep: { _ in }),
            password: { _ in player.password() }, read: { _, _ throws(Failure) in player.input() })
    }
}
