import Hummingbird
import HummingbirdCore
import Metrics
import ServiceLifecycle

/// What an operator's machines ask, on an address of its own: `/healthz`, `/readyz` and `/metrics`.
struct Monitor: Sendable {
    let store: ServerStore
    let roster: ConnectionRoster
    let metrics: PrometheusMetrics

    func application(
        on address: ServerConfiguration.Address, onReady: @escaping @Sendable (Int) async -> Void
    ) -> some Service {
        let router = Router()
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in
            let isReady = await isReady()
            return Response.plain(isReady ? .ok : .serviceUnavailable, isReady ? "ready" : "not ready")
        }
        router.get("metrics") { _, _ in
            await measure()
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text())))
        }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    ServerLimits.monitorConnections, logger: store.configuration.logger)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: store.configuration.logger)
    }

    /// Whether requests are answered: the database can be read, and the server is not stopping.
    private func isReady() async -> Bool {
        guard !roster.isStopping else { return false }
        do {
            return try await store.read { try $0.exists("SELECT 1 FROM server") }
        } catch {
            return false
        }
    }

    /// What is counted only when somebody asks.
    private func measure() async {
        func set(_ name: String, _ value: Int64, _ labels: [(String, String)] = []) {
            metrics.makeMeter(label: "waxwing.\(name)", dimensions: labels).set(value)
        }
        set("info", 1, [("version", waxwingVersion)])
        let known = roster.knownCount
        set("connections", Int64(known), [("state", "logged in")])
        set("connections", Int64(max(0, roster.count - known)), [("state", "stranger")])
        set("event.streams", Int64(store.bus.readerCount))
        set("event.polls", Int64(store.bus.pollCount))
        // Numbers that cannot be read keep their last value; /readyz says that something is wrong.
        let counts = try? await store.read { transaction in
            (
                users: try transaction.count("SELECT count(*) FROM user"),
                groups: try transaction.count("SELECT count(*) FROM chat"),
                kept: try transaction.count("SELECT coalesce(sum(bytes_kept), 0) FROM usage"),
                file: try transaction.count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            )
        }
        guard let counts else { return }
        set("users", counts.users)
        set("groups", counts.groups)
        set("kept.bytes", counts.kept)
        set("database.bytes", counts.file)
    }
}
