import Machine
import ConclaveProtocol
import Files

/// Where a password comes from: a terminal, a descriptor or a file, never the command line.
enum PasswordSource: Hashable, Sendable {
    /// Asked for without echo, under this name; twice if it is a new one.
    case terminal(isNew: Bool, _ name: String = "Password")
    case descriptor(Int32)
    /// `-` is standard input.
    case file(String)

    /// The first line, without its end.
    ///
    /// - Throws: ``Failure`` if there is none, or it is not UTF-8.
    func read() throws -> String {
        switch self {
        case .terminal(let isNew, let name):
            let password = try ask(name + ": ")
            if isNew, try ask(name + " again: ") != password { throw Failure(.usage, "the two entries differ") }
            return password
        case .descriptor(let number):
            return try firstLine(of: number, "descriptor \(number)")
        case .file("-"):
            return try firstLine(of: StandardStreams.input, "standard input")
        case .file(let path):
            let file: File
            do throws(FileError) {
                file = try File(path, .readOnly)
            } catch {
                throw Failure(.usage, "the password file cannot be opened: \(error.reason)")
            }
            return try withExtendedLifetime(file) { try firstLine(of: file.descriptor, "the password file") }
        }
    }

    private func firstLine(of descriptor: Int32, _ name: String) throws -> String {
        let bytes: [UInt8]
        do {
            bytes = try InputBytes.read(from: descriptor, limit: 4096, upToLineEnd: true)
        } catch {
            throw Failure(.usage, "nothing can be read from \(name): \(error.message)")
        }
        guard let password = String(validating: bytes, as: UTF8.self), !password.isEmpty else {
            throw Failure(.usage, "\(name) gave nothing")
        }
        return password
    }

    private func ask(_ prompt: String) throws -> String {
        // Ctrl-C must not leave the terminal without echo.
        let interrupt = Interrupt()
        do {
            return try Terminal.askHidden(prompt, isStopped: { interrupt.hasCome }) { terminal in
                try firstLine(of: terminal, "the terminal")
            }
        } catch Terminal.Trouble.missing {
            throw Failure(
                .usage, "there is no terminal to ask on", hint: "scripts can pass it by a descriptor; --help says how")
        } catch Terminal.Trouble.unusable(let reason) {
            throw Failure(.usage, "the terminal cannot be used: \(reason)")
        } catch Terminal.Trouble.interrupted {
            throw Failure.interrupted
        }
    }
}
