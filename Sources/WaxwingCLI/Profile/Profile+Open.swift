import Glibc
import HTTPTransport
import MLSOpenSSL
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// The only place of the program that chooses implementations.
extension Profile {
    /// Reads what is on disk. Needs no network and changes nothing.
    ///
    /// - Throws: ``Failure`` `notLoggedIn`, or `StoreError`.
    func openReader() throws -> AccountReader {
        guard try exists() else { throw Failure.notLoggedIn }
        return AccountReader(store: try SQLiteStore(path: storePath))
    }

    /// Opens the account of somebody who has logged in at some time.
    ///
    /// - Throws: ``Failure``, `StoreError`, `TransportError`.
    func open(onNotice: @escaping @Sendable (Notice) -> Void = { _ in }) throws -> Client {
        guard try exists() else { throw Failure.notLoggedIn }
        let store = try SQLiteStore(path: storePath)
        guard let account = try AccountReader(store: store).account() else { throw Failure.notLoggedIn }
        return try client(store, account.serverURL, try Settings.load(settingsPath), onNotice)
    }

    /// Opens the account for a login; the store is made where there is none.
    func open(
        serverURL: String, _ settings: Settings, onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Client {
        try client(try SQLiteStore(path: storePath), serverURL, settings, onNotice)
    }

    private func client(
        _ store: SQLiteStore, _ serverURL: String, _ settings: Settings,
        _ onNotice: @escaping @Sendable (Notice) -> Void
    ) throws -> Client {
        var options = HTTPTransport.Options(server: serverURL)
        options.certificateAuthorities = settings.caFile
        options.proxy = settings.proxy
        options.tokenHeader = settings.tokenHeader
        let transport = try HTTPTransport(options)
        return try Client(
            store: store, transport: transport, provider: OpenSSLProvider(), entropy: SystemEntropy(),
            clock: { Instant.now }, onNotice: onNotice)
    }
}

extension Instant {
    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: UInt64(max(0, time.tv_sec)) * 1000 + UInt64(time.tv_nsec) / 1_000_000)
    }
}
