import Age
import Archive
import ArgumentParser
import Files
import MLS
import MLSOpenSSL
import WaxwingCore

/// Who can open a new archive.
struct SealingOptions: ParsableArguments {
    @Option(
        name: .customLong("recipient"),
        help: ArgumentHelp(
            "Seal it to this age recipient, as printed by waxwing keygen or age-keygen; may be repeated.",
            valueName: "age1…"))
    var recipients: [String] = []

    @Flag(help: "Seal it with a passphrase, asked for on the terminal.")
    var passphrase = false

    @Option(
        name: .customLong("passphrase-fd"),
        help: ArgumentHelp("Seal it with the passphrase read from this descriptor.", valueName: "number"))
    var passphraseDescriptor: Int32?

    @Flag(help: "Write text (ASCII armor) instead of bytes; it is a third longer.")
    var armor = false

    var usesPassphrase: Bool { passphrase || passphraseDescriptor != nil }

    func validate() throws {
        if usesPassphrase == !recipients.isEmpty {
            throw ValidationError(
                recipients.isEmpty
                    ? "Say who may open it: --recipient age1… (waxwing keygen makes one), or --passphrase."
                    : "--recipient and --passphrase exclude each other: the age format does not allow both.")
        }
    }

    /// - Parameter words: the passphrase, if it was asked for already.
    /// - Throws: ``Failure``.
    func sealing(_ words: SecretBytes?) throws -> AgeSealing {
        if let words { return .passphrase(words) }
        return .recipients(
            try recipients.map { text in
                do throws(AgeError) {
                    return try AgeRecipient(text)
                } catch {
                    throw Failure(.usage, error.reason, hint: "`waxwing keygen` makes an identity with its recipient")
                }
            })
    }

    /// The passphrase; nil if recipients are named.
    func words(_ surroundings: Surroundings) throws -> SecretBytes? {
        guard usesPassphrase else { return nil }
        return try Passphrase.ask(surroundings, descriptor: passphraseDescriptor, isNew: true)
    }
}

/// The keys that open an archive.
struct OpeningOptions: ParsableArguments {
    @Option(
        name: .customLong("identity"),
        help: ArgumentHelp(
            "Open it with the age identities in this file; may be repeated.", valueName: "file"))
    var identities: [String] = []

    @Option(
        name: .customLong("passphrase-fd"),
        help: ArgumentHelp("Open it with the passphrase read from this descriptor.", valueName: "number"))
    var passphraseDescriptor: Int32?

    func validate() throws {
        if !identities.isEmpty, passphraseDescriptor != nil {
            throw ValidationError("--identity and --passphrase-fd exclude each other.")
        }
    }

    /// - Throws: ``Failure``.
    func opening(_ surroundings: Surroundings) throws -> AgeOpening {
        if identities.isEmpty {
            return .passphrase(try Passphrase.ask(surroundings, descriptor: passphraseDescriptor, isNew: false))
        }
        return .identities(try identities.flatMap(IdentityFile.read))
    }

    /// Opens an archive for reading.
    ///
    /// - Throws: ``Failure``.
    func open(_ path: String, _ opening: AgeOpening) throws(Failure) -> ArchiveReader {
        let source: FileSource
        do throws(AgeError) {
            source = try FileSource(path: path)
        } catch {
            throw Failure(
                .other, "the archive cannot be opened: \(error.reason)", hint: "check its name and permissions")
        }
        do throws(ArchiveError) {
            return try ArchiveReader(source, opening)
        } catch {
            throw Failure(error, in: path)
        }
    }
}

/// Passphrases come from a terminal or a descriptor, never from the command line.
enum Passphrase {
    static func ask(_ surroundings: Surroundings, descriptor: Int32?, isNew: Bool) throws -> SecretBytes {
        let source: PasswordSource = descriptor.map { .descriptor($0) } ?? .terminal(isNew: isNew, "Passphrase")
        return SecretBytes(Array(try surroundings.password(source).utf8))
    }
}

/// Reads and writes files of age identities.
enum IdentityFile {
    private static let limit = 64 << 10

    static func read(_ path: String) throws(Failure) -> [AgeIdentity] {
        let file: File
        do throws(FileError) {
            file = try File(path, .readOnly)
        } catch {
            throw Failure(.usage, "the identity file cannot be opened: \(error.description)")
        }
        let bytes: [UInt8]
        do throws(Failure) {
            bytes = try withExtendedLifetime(file) { () throws(Failure) in
                try InputBytes.read(from: file.descriptor, limit: limit)
            }
        } catch {
            throw Failure(.usage, "\(path): \(error.message)")
        }
        do throws(AgeError) {
            return try AgeIdentity.parse(bytes)
        } catch {
            throw Failure(
                .usage, "\(path): \(error.reason)",
                hint: "an identity file is what `waxwing keygen` or age-keygen writes")
        }
    }
}

/// Checks the signatures of archives.
enum ArchiveSignature {
    /// Reads all of an archive once, and checks it.
    ///
    /// - Throws: ``Failure``.
    static func check(_ archive: ArchiveReader, _ path: String, _ progress: (UInt64, UInt64) -> Void) throws
        -> ArchiveReport
    {
        let provider = OpenSSLProvider()
        do {
            return try archive.verify { suite, key, message, signature in
                AccountSigner.verify(suite: suite, publicKey: key, message, signature: signature, provider)
            } progress: {
                progress($0, $1)
            }
        } catch let error as ArchiveError {
            throw Failure(error, in: path)
        }
    }
}

extension Surroundings {
    /// The source of randomness for age.
    var ageEntropy: AgeEntropy {
        { [entropy = environment.entropy] count in
            entropy.secret(count).withUnsafeBytes { SecretBytes($0) }
        }
    }
}

extension Failure {
    init(_ error: ArchiveError, in path: String = "") {
        let reason = path.isEmpty ? error.reason : "\(path): \(error.reason)"
        switch error.code {
        case .notAnArchive: self.init(.archiveDamaged, reason, hint: "name a file that `waxwing export` wrote")
        case .wrongKey:
            self.init(
                .archiveSealed, reason,
                hint: "try another passphrase, or --identity FILE if the archive is sealed to a recipient")
        case .damaged:
            self.init(.archiveDamaged, reason, hint: "the file has changed since it was written: use another copy")
        case .truncated:
            self.init(.archiveDamaged, reason, hint: "the file is incomplete: copy it again, or use another copy")
        case .newerFormat: self.init(.archiveDamaged, reason, hint: "update waxwing")
        case .unsupported: self.init(.archiveDamaged, reason)
        case .invalidInput: self.init(.usage, reason)
        case .full: self.init(.diskFull, reason, hint: "make room on the disk, then try again")
        case .failed: self.init(.other, reason, hint: "check the disk and the folder's permissions, then try again")
        }
    }
}
