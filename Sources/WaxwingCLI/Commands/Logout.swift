import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct Logout: Action {
    static let configuration = CommandConfiguration(
        abstract: "End the session. History, keys and the outbox stay on this machine.",
        discussion: """
            Example:
              waxwing logout
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profiled = try Profile.locate(profile).open(in: surroundings)
        guard let account = try profiled.reader.account(), let token = account.token else { throw Failure.notLoggedIn }
        var isKnownToServer = true
        // Log out here first: whatever the server says, this machine is logged out.
        try await profiled.client.perform(.signOut) { try $0.account()?.token == nil }
        do {
            try await profiled.client.ask(Endpoint.logout(token: token), of: account.serverURL)
        } catch let error as ProtocolError where error.isSessionOver {
            // The session is over already, as intended.
        } catch {
            isKnownToServer = false
            let reason = Failure(explaining: error)?.message ?? "\(error)"
            Console.note("the server could not be told: \(reason.onOneLine)")
            Console.note("  the session ends there when it expires; its token is deleted here")
        }
        Console.print(output.json ? try JSON.line(LogoutView(toldServer: isKnownToServer)) : "logged out")
    }
}

/// A logout as JSON.
private struct LogoutView: Encodable {
    var loggedOut = true
    /// Whether the server was told; otherwise the session ends there when it expires.
    var toldServer: Bool
}
