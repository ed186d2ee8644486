import ArgumentParser
import Waxwing

/// The profile a command works on.
struct ProfileOptions: ParsableArguments {
    @Option(name: .customLong("profile"), help: "Which of your profiles to use.")
    var name = standardName

    /// The profile used if none is named.
    static let standardName = "default"

    @Option(
        help: ArgumentHelp(
            """
            How to reach the server: sse (an event stream), poll (long-polling), auto (a stream, unless something on \
            the way holds it back), or replay:FILE (not at all: a recording answers). Register and login keep it in \
            the profile.
            """,
            valueName: "kind"))
    var transport: TransportKind?
}

/// How results are printed.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON: one object, or one a line for lists.")
    var json = false
}

/// How long a command waits for its request to be carried out.
struct WaitOptions: ParsableArguments {
    @Flag(help: "Only queue it, logged in or not; the next sync after a login carries it out.")
    var queue = false

    @Option(help: ArgumentHelp("How long to wait for it to be carried out.", valueName: "seconds"))
    var wait = 5.0

    /// Milliseconds; nil to queue only.
    var patience: UInt64? { queue ? nil : UInt64(wait * 1000) }

    func validate() throws {
        guard (0...3600).contains(wait) else { throw ValidationError("--wait takes 0 to 3600 seconds.") }
    }
}

/// Where the password of a login comes from.
struct PasswordOptions: ParsableArguments {
    @Option(
        name: .customLong("password-file"),
        help: ArgumentHelp(
            "Read the password from the first line of this file; - is standard input.", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("password-fd"),
        help: ArgumentHelp("Read the password from this descriptor.", valueName: "number"))
    var descriptor: Int32?

    func validate() throws {
        if file != nil && descriptor != nil {
            throw ValidationError("--password-file and --password-fd exclude each other.")
        }
    }

    func source(isNew: Bool) -> PasswordSource {
        if let descriptor { return .descriptor(descriptor) }
        if let file { return .file(file) }
        return .terminal(isNew: isNew)
    }
}

/// The way to the server, kept in the profile after login.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's address; https:// if no scheme is given.", valueName: "url"))
    var server: String?

    @Flag(
        name: .customLong("insecure-http"),
        help: "Allow an http:// address of another machine: the password and who you talk to can be read on the way.")
    var insecureHTTP = false

    @Option(
        help: ArgumentHelp(
            "For this server, trust only the certificate authorities in this PEM file.", valueName: "file"))
    var caFile: String?

    @Option(help: ArgumentHelp("Reach the server through this proxy.", valueName: "url"))
    var proxy: String?

    @Option(help: ArgumentHelp("Send the session token in this header, if the server wants that.", valueName: "name"))
    var tokenHeader: String?

    @Option(help: ArgumentHelp("Keep a new profile in this kind of store: sqlite or files.", valueName: "kind"))
    var store: StoreKind?
}
