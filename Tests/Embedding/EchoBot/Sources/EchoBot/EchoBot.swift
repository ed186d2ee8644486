import Foundation
import Waxwing

/// Repeats what it hears: `EchoBot FOLDER SERVER`, with the password in `ECHO_PASSWORD`. Joins every group it is
/// invited to.
@main
struct EchoBot {
    static func main() async throws {
        let (folder, server) = (CommandLine.arguments[1], CommandLine.arguments[2])
        let password = ProcessInfo.processInfo.environment["ECHO_PASSWORD"] ?? ""
        let account = try Account.open(at: folder)
        if try account.userID == nil {
            // A name that is taken is our own, if an earlier start got no further.
            do { try await account.register("echo", password: password, server: server) } catch AccountError
                .usernameTaken
            {}
        }
        if try !account.isSignedIn { try await account.signIn("echo", password: password, server: server) }
        // No one watches here: do not wait for a decision about members with new keys.
        try await account.setTrust(.follow)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await account.stayConnected() }
            tasks.addTask { try await echo(account, URL(fileURLWithPath: folder + "/echo.json")) }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// The place it has reached is kept in a file, so that a bot that was stopped continues after its last answer.
    private static func echo(_ account: Account, _ place: URL) async throws {
        let kept = try? JSONDecoder().decode(UpdateCursor.self, from: Data(contentsOf: place))
        for try await update in account.updates(after: kept ?? .beginning) {
            switch update.change {
            case .invite(let invite): try await account.accept(invite)
            case .history(let group, let row):
                guard case .text(let text) = row.content, try row.sender != account.userID else { break }
                let answer = "\(try account.username(of: row.sender) ?? "Someone") says: \(text)"
                // A text that became too long, or a group we have left, is no reason to stop.
                do { try await account.send(answer, to: group) } catch let error as CoreError { print(error) }
            default: break
            }
            try JSONEncoder().encode(update.cursor).write(to: place, options: .atomic)
        }
    }
}
