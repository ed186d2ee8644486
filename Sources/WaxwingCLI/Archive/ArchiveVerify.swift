import Archive
import ArgumentParser
import ConclaveProtocol
import WaxwingCore
import Waxwing

struct ArchiveVerify: Action {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check archives: every byte, every hash, the signature, and whether a chain of them is whole.",
        discussion: """
            Imports nothing. Anyone who knows a recipient can seal an archive to it; the signature says whose it is. \
            Its key is compared with those that the profile knows, if there is a profile; --signer requires a certain \
            key.

            Example:
              waxwing archive verify lunch.age --identity archive.key
              waxwing archive verify lunch.age lunch-2.age lunch-3.age --identity archive.key --json
            """)

    @Argument(help: ArgumentHelp("The archives.", valueName: "file"))
    var files: [String]

    @OptionGroup var signer: SignerOptions
    @OptionGroup var keys: OpeningOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if files.isEmpty { throw ValidationError("Name at least one archive.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let located = try Profile.locate(profile)
        let reader = try located.exists() ? located.openReader() : nil
        let opening = try keys.opening(surroundings)
        var whole: [(end: ArchiveEnd, trailer: ArchiveTrailer)] = []
        var names: [String: String] = [:]
        var failure: Failure?
        for file in files {
            do {
                let archive = try keys.open(file, opening)
                let report = try check(archive, file)
                try signer.check(report, file)
                try tell(file, archive, report, reader)
                whole.append((archive.end, archive.trailer))
                names[archive.end.id] = file
            } catch let error as Failure where files.count > 1 {
                // The others are still checked.
                Console.tell(error)
                failure = failure ?? error
            }
        }
        // A single archive is no chain; it says which one it continues.
        if files.count == 1 { return }
        var (order, findings) = ArchiveChain.check(whole)
        // All the keys that signed them were asked for.
        if signer.isGiven { findings.removeAll { if case .otherKey = $0 { true } else { false } } }
        try tell(order, findings, names, isComplete: failure == nil)
        if let failure { throw Failure(failure.status, "not all of the archives are whole") }
        if !findings.isEmpty {
            throw Failure(.archiveDamaged, "the chain is not whole", hint: "look for the archives that are missing")
        }
    }

    private func check(_ archive: ArchiveReader, _ file: String) throws -> ArchiveReport {
        var meter = ProgressMeter("checking \(file)", .bytes)
        defer { meter.end() }
        return try ArchiveSignature.check(archive, file) { meter.show($0, of: $1) }
    }

    private func tell(_ file: String, _ archive: ArchiveReader, _ report: ArchiveReport, _ reader: AccountReader?)
        throws
    {
        let trust = try SignerTrust(report.fingerprint, of: archive.end.account, reader)
        if output.json {
            Console.print(try JSON.line(ArchiveView(file, archive, report, trust)))
            return
        }
        Console.print("\(file): whole, \(report.rows) lines")
        for line in ArchiveWords.lines(archive) { Console.print(line) }
        let name = try archive.members().first { $0.id == archive.end.account }?.username.onOneLine ?? ""
        Console.print(
            "  says it is by \(name.isEmpty ? archive.end.account.description : name), signed \(trust.words)")
        Console.print("  \(Fingerprint.grouped(report.fingerprint))")
    }

    private func tell(
        _ order: [String], _ findings: [ArchiveChain.Finding], _ names: [String: String], isComplete: Bool
    ) throws {
        if output.json {
            Console.print(
                try JSON.line(
                    ChainView(
                        chain: order, whole: isComplete && findings.isEmpty,
                        findings: findings.map { ArchiveWords.text($0, names) })))
            return
        }
        if isComplete, findings.isEmpty {
            Console.print("the chain is whole: \(order.compactMap { names[$0] }.joined(separator: ", "))")
        }
        for finding in findings { Console.print("the chain is not whole: " + ArchiveWords.text(finding, names)) }
    }
}

/// Whether archives continue each other, for scripts.
struct ChainView: Encodable {
    /// Ids, the first archive first.
    var chain: [String]
    var whole: Bool
    var findings: [String]
}

/// An archive for scripts.
struct ArchiveView: Encodable {
    var file: String
    var id: String
    var previous: String?
    /// The account that made the archive.
    var account: String
    var rows: UInt64
    var span: ArchiveSpan?
    var waiting: Int
    var groups: [ArchiveTrailer.Group]
    /// Covers all lines and their order, in hex: equal if the messages are.
    var messagesDigest: String
    /// Absent if nothing was checked.
    var whole: Bool?
    var fingerprint: String?
    var signer: SignerTrust?

    init(_ file: String, _ archive: ArchiveReader, _ report: ArchiveReport? = nil, _ trust: SignerTrust? = nil) throws {
        self.file = file
        id = archive.end.id
        previous = archive.end.previous
        account = archive.end.account.description
        rows = archive.trailer.rows
        span = archive.trailer.span
        waiting = archive.trailer.waiting
        groups = archive.trailer.groups
        messagesDigest = try archive.messagesDigest()
        whole = report == nil ? nil : true
        fingerprint = report?.fingerprint
        signer = trust
    }
}
