import ArgumentParser
import ConclaveProtocol
import Synchronization
import Waxwing
import WaxwingClient
import WaxwingCore

struct Watch: Action {
    static let configuration = CommandConfiguration(
        abstract: "Stay connected and print what comes in, until Ctrl-C.",
        discussion: """
            Other commands of the same profile keep working beside it: what they queue goes out at once.

            Example:
              waxwing watch
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let reader = try profile.openReader()
        let announcer = try Announcer(reader, clock: surroundings.now, json: output.json)
        let noting = Noting()
        let account = try profile.open(in: surroundings) { notice in
            announcer.take(notice)
            noting.go(announcer.news, reader)
        }
        noting.client.withLock { $0 = account.client }
        defer { noting.client.withLock { $0 = nil } }
        switch try await Connection.run(account, live: true, until: .stopped) {
        case .elsewhere: throw Failure.profileInUse
        case .signedOut: throw try Failure.signedOut(reader)
        case .reached, .cut: break
        }
    }
}

/// Records in the profile what was shown of members, while the client is at work.
private final class Noting: Sendable {
    let client = Mutex<Client?>(nil)

    func go(_ news: MemberNews, _ reader: AccountReader) {
        guard news.hasSome, let client = client.withLock({ $0 }) else { return }
        Task {
            do {
                try await news.note(reader) { client }
            } catch {
                Console.note(
                    "what has been shown could not be saved: \(Failure(explaining: error)?.message ?? "\(error)")")
            }
        }
    }
}
