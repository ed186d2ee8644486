import Machine
import Age
import ArgumentParser
import Waxwing
import WaxwingCore

struct Keygen: Action {
    static let configuration = CommandConfiguration(
        abstract: "Make an age identity: the key that opens archives sealed to its recipient.",
        discussion: """
            Keep the file safe: without it, nothing opens the archives. Give the recipient, the line that begins with \
            age1, to whoever makes archives for you. The age tool takes both, too.

            Example:
              waxwing keygen --to archive.key
              waxwing export lunch --to lunch.age --recipient age1…
            """)

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "Write the identity to this file, with mode 0600; standard output if it is missing or -.",
            valueName: "file"))
    var path: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if output.json, path ?? "-" == "-" {
            throw ValidationError("--json needs --to FILE, which keeps the identity.")
        }
    }

    func run(in surroundings: Surroundings) async throws {
        let identity: AgeIdentity
        do {
            identity = try AgeIdentity.generate(surroundings.ageEntropy)
        } catch {
            throw Failure(.other, error.reason)
        }
        let text = "# recipient: \(identity.recipient)\n\(identity.unwipedText)\n"
        guard let path, path != "-" else {
            Console.print(String(text.dropLast()))
            return
        }
        let interrupt = Interrupt()
        let file = try OutputFile(path, replacing: false) { interrupt.hasCome }
        try Array(text.utf8).withUnsafeBytes { try file.append($0) }
        try file.publish()
        if output.json {
            Console.print(try JSON.line(KeyView(recipient: identity.recipient.text, file: path)))
        } else {
            Console.print("recipient: \(identity.recipient)")
        }
    }
}

/// A new identity for scripts.
struct KeyView: Encodable {
    var recipient: String
    /// The path of the identity.
    var file: String
}
