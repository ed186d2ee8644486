import ArgumentParser
import Glibc
import WaxwingCore

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a message to a group.",
        discussion: """
            The message is safe on this machine when the command returns, whether it could be sent yet or not.

            Example:
              waxwing send lunch "Noon at the fountain?"
              fortune | waxwing send lunch
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The text; standard input where it is missing or -.")
    var text: String?

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try Profile.locate(profile)
        let client = try profile.open()
        let group = try client.reader.theGroup(group)
        let command = Command.send(group: group.id, text: try message())
        let outcomes = try await Errand(profile, client, wait).run([command])
        try Report.tell(outcomes, client.reader, json: output.json) { _, sequence in
            sequence.map { "sent (seq \($0))" } ?? "sent"
        }
    }

    private func message() throws -> String {
        if let text, text != "-" { return text }
        let bytes: [UInt8]
        do {
            bytes = try InputBytes.read(from: STDIN_FILENO, limit: ClientLimits.messageText)
        } catch {
            throw Failure(.usage, "standard input cannot be sent as one message: \(error.message)")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.usage, "standard input is not UTF-8 text", hint: "only text can be sent")
        }
        // What `echo` adds is not part of the message.
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
