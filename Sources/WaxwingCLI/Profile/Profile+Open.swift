import Machine
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
    func open(
        in surroundings: Surroundings, toRead: Bool = false,
        onNotice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) throws -> Account {
        let store = toRead ? try openStoreToRead() : try openStore()
        guard let account = try AccountReader(store: store).account() else { throw Failure.notLoggedIn }
        var settings = try ServerSettings.load(settingsPath)
        if ServerAddress.tellOnce(account.serverURL, &settings) {
            // If it cannot be recorded, it is said again.
            try? settings.save(settingsPath)
        }
        return try open(store, account.serverURL, settings, surroundings, onNotice)
    }

    /// Opens the account for a login. Makes the store if there is none.
    func open(
        in surroundings: Surroundings, serverURL: String, _ settings: ServerSettings, _ kind: StoreKind?,
        onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Account {
        try open(
            try openOrMakeStore(kind, standard: kind ?? StoreKind.wanted), serverURL, settings, surroundings, onNotice)
    }

    private func open(
        _ store: any Store, _ serverURL: String, _ settings: ServerSettings, _ surroundings: Surroundings,
        _ onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Account {
        let kind = try TransportKind.wanted(self, settings).absolute()
        let isNew = try AccountReader(store: store).account() == nil
        if case .replay(let path) = kind, surroundings.isLive {
            try Rehearsal.claim(self, path, isNew: isNew)
            try Rehearsal.begin(self, path, in: surroundings)
        } else {
            try Rehearsal.claim(self, surroundings.recording, isNew: isNew)
        }
        let account = try Account(self, store, surroundings.environment) { notice in
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
