import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End the session. History, keys and what waits stay on this machine.",
        discussion: """
            Example:
              waxwing logout
            """)

    @OptionGroup var profile: ProfileOptions

    func run() async throws {
        let client = try Profile.locate(profile).open()
        guard let token = try client.reader.account()?.token else { throw Failure.notLoggedIn }
        // Forgotten here first: whatever the server says, this machine is logged out.
        try await client.perform(.signOut)
        do {
            try await client.ask(Endpoint.logout(token: token))
        } catch let error as ProtocolError where error.isSessionOver {
            // What was wanted is so already.
        } catch {
            let reason = Failure(explaining: error)?.message ?? "\(error)"
            Console.note("the server has not heard of it: \(reason.asClause)")
            Console.note("  the session ends there when it expires; its token is deleted here")
        }
        Console.print("logged out")
    }
}
