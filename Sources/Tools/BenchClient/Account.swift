import ConclaveProtocol
import Foundation
import HTTPTransport
import MLSOpenSSL
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// A client on a profile of its own, assembled as in `waxwing`.
struct Account {
    let name: String
    let client: Client

    /// Registers with the server and logs in.
    init(_ name: String, server: String, home: URL) async throws {
        self.name = name
        let folder = home.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        client = try Client(
            store: SQLiteStore(path: folder.appending(path: "store.sqlite").path),
            transport: HTTPTransport(HTTPTransport.Options(server: server)), provider: OpenSSLProvider(),
            entropy: SystemEntropy())
        let password = "a password for \(name)"
        _ = try await client.ask(Endpoint.register(username: name, password: password), of: server)
        let session = try await client.ask(Endpoint.login(username: name, password: password), of: server)
        try await client.perform(.signIn(session, serverURL: server))
        try await sync()
    }

    /// Catches up and sends what waits.
    func sync() async throws {
        let link = try await client.run(live: false, until: .settled)
        switch link {
        case .waiting, .loginNeeded: throw Trouble("\(name) cannot reach the server: \(link)")
        default: break
        }
    }

    func group(_ name: String) throws -> ID {
        guard let group = try client.reader.groups(named: name).first else { throw Trouble("there is no \(name)") }
        return group.id
    }
}
