import Machine
import Age
import Archive
import ArgumentParser
import WaxwingCore
import Waxwing

struct Export: Action {
    static let configuration = CommandConfiguration(
        abstract: "Write conversations to a compressed, encrypted archive that age, zstd and tar can open.",
        discussion: """
            Needs no network and blocks nothing: `watch` and `send` keep working. The file appears under its name only \
            when it is complete. It holds everything that has its place in the server's log, and says what is missing. \
            It contains no keys of a group.

            Example:
              waxwing export lunch --to lunch.age --recipient age1…
              waxwing export --all --to all.age --passphrase
              waxwing export lunch --to lunch-2.age --recipient age1… --since lunch.age --identity archive.key
              waxwing export lunch --to - --recipient age1… | ssh elsewhere 'cat > lunch.age'
              age -d -i archive.key lunch.age | zstd -d | tar -x
            """)

    @Argument(help: ArgumentHelp("The groups' names, aliases or ids.", valueName: "group"))
    var groups: [String] = []

    @Flag(help: "All groups of the profile, including those that are over.")
    var all = false

    @Option(name: .customLong("to"), help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"))
    var path: String

    @Flag(help: "Replace the file if it exists.")
    var force = false

    @Option(
        help: ArgumentHelp("Write only what came after this archive, and continue its chain.", valueName: "archive"))
    var since: String?

    @Option(
        name: .customLong("identity"),
        help: ArgumentHelp("Open the archive of --since with the age identities in this file.", valueName: "file"))
    var identities: [String] = []

    @OptionGroup var signer: SignerOptions
    @OptionGroup var sealing: SealingOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if all == !groups.isEmpty { throw ValidationError("Name the groups to export, or give --all.") }
        if !identities.isEmpty, since == nil { throw ValidationError("--identity goes with --since.") }
        if signer.isGiven, since == nil { throw ValidationError("--signer goes with --since.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let reader = try Profile.locate(profile).openReader()
        let found = try chosen(reader)
        let words = try sealing.words(surroundings)
        let sealing = try sealing.sealing(words)
        let previous = try since.map { try earlier($0, words, reader, surroundings) }
        if path == "-" {
            // Nothing has to be cleaned up: a signal ends the process at once, even while it waits for a slow reader.
            let exporter = try exporter(reader, found, previous, surroundings) { false }
            let target = try ExportStream(isArmored: self.sealing.armor)
            let summary = try exporter.run(to: target, sealing, isArmored: self.sealing.armor)
            Console.wipeProgress()
            return try tell(summary, exporter, found.count, target.count, by: Console.note)
        }
        let interrupt = Interrupt()
        do {
            let draft = try OutputFile(path, replacing: force) { interrupt.hasCome }
            let exporter = try exporter(reader, found, previous, surroundings) { interrupt.hasCome }
            let summary = try exporter.run(to: draft, sealing, isArmored: self.sealing.armor)
            Console.wipeProgress()
            try tell(summary, exporter, found.count, draft.count, by: Console.print)
        } catch let error as OutputFileError {
            guard case .exists = error else { throw error }
            var failure = Failure(error)
            failure.hint += ", or replace it with --force"
            throw failure
        }
    }

    private func exporter(
        _ reader: AccountReader, _ groups: [GroupRecord], _ previous: ArchiveEnd?, _ surroundings: Surroundings,
        isStopped: @escaping () -> Bool
    ) throws -> Exporter {
        var meters = (rows: ProgressMeter("exporting", .rows), bytes: nil as ProgressMeter?)
        return try Exporter(
            reader, groups, previous: previous, entropy: surroundings.ageEntropy, isStopped: isStopped
        ) { step, done, all in
            switch step {
            case .reading: meters.rows.show(done, of: all)
            case .sealing:
                // The rate is that of the current step.
                var meter = meters.bytes ?? ProgressMeter("sealing", .bytes)
                meter.show(done, of: all)
                meters.bytes = meter
            }
        }
    }

    private func tell(
        _ summary: ArchiveSummary, _ exporter: Exporter, _ groups: Int, _ size: UInt64, by say: (String) -> Void
    ) throws {
        if output.json { return say(try JSON.line(ExportView(path, size, summary, waiting: exporter.waiting))) }
        say("wrote \(path): \(counted(summary.rows, "line")) of \(counted(groups, "group"))")
        say("  \(ArchiveWords.size(summary.contentSize)) of text in \(ArchiveWords.size(size)), id \(summary.end.id)")
        if exporter.waiting > 0 {
            say(
                "  \(counted(exporter.waiting, "line")) without a place in the log were left out: export again after a sync"
            )
        }
    }

    private func chosen(_ reader: AccountReader) throws -> [GroupRecord] {
        guard try reader.account() != nil else { throw Failure.notLoggedIn }
        if all { return try reader.groups() }
        var found: [GroupRecord] = []
        for name in groups {
            let group = try reader.theGroup(name)
            if !found.contains(where: { $0.id == group.id }) { found.append(group) }
        }
        return found
    }

    /// The end of an earlier archive, after checking that all of it is authentic and that this profile has what it ends
    /// with.
    private func earlier(_ path: String, _ words: SecretBytes?, _ reader: AccountReader, _ surroundings: Surroundings)
        throws -> ArchiveEnd
    {
        var options = OpeningOptions()
        options.identities = identities
        let opening: AgeOpening
        if let words, identities.isEmpty {
            opening = .passphrase(words)
        } else {
            opening = try options.opening(surroundings)
        }
        let archive = try options.open(path, opening)
        var meter = ProgressMeter("checking \(path)", .bytes)
        defer { meter.end() }
        let report = try ArchiveSignature.check(archive, path) { meter.show($0, of: $1) }
        try signer.checkOwn(report, path, reader)
        for (group, last) in archive.end.last {
            // In this archive, or in an earlier one, which is not read.
            guard let row = try archive.rows(of: group, from: last, limit: 1).first else { continue }
            var match = try EraMatch(reader, group: group)
            try match.look(at: row)
            guard match.eras[row.era] == row.era, match.isKnown(row) else {
                throw Failure(
                    .notPossible, "\(path): this profile does not hold what that archive ends with",
                    hint: "`waxwing import` it first, or write a full archive")
            }
        }
        return archive.end
    }
}

/// What an export wrote, for scripts.
struct ExportView: Encodable {
    var file: String
    /// SHA-256 of what the archive's signature covers.
    var id: String
    /// The archive that it continues.
    var previous: String?
    var rows: UInt64
    /// Lines that have no place in the server's log yet, and were left out.
    var waiting: Int
    /// In bytes: the content, its compressed size, and the size of the file.
    var contentSize: UInt64
    var compressedSize: UInt64
    var fileSize: UInt64

    init(_ path: String, _ size: UInt64, _ summary: ArchiveSummary, waiting: Int) {
        file = path
        id = summary.end.id
        previous = summary.end.previous
        rows = summary.rows
        self.waiting = waiting
        contentSize = summary.contentSize
        compressedSize = summary.compressedSize
        fileSize = size
    }
}
