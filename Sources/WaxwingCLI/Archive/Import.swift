import Archive
import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingClient
import WaxwingCore

struct Import: Action {
    static let configuration = CommandConfiguration(
        abstract: "Import the history of archives into this profile.",
        discussion: """
            Everything is checked first, and nothing is taken from an archive that is not whole. What is here already \
            stays as it is, so importing twice changes nothing. Only history is imported: to write in a group again, \
            use `waxwing group rejoin`.

            Whoever can sign an archive can put words into people's mouths, so only archives signed with the key of \
            this profile are taken. A new login makes a new key: for an archive from before it, give --signer the \
            fingerprint that `waxwing whoami` showed then.

            Example:
              waxwing import lunch.age --identity archive.key
              waxwing import lunch.age lunch-2.age --identity archive.key --json
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
        let profiled = try Profile.locate(profile).open(in: surroundings)
        guard let account = try profiled.reader.account() else { throw Failure.notLoggedIn }
        let opening = try keys.opening(surroundings)
        var archives: [(file: String, archive: ArchiveReader)] = []
        for file in files {
            let archive = try keys.open(file, opening)
            guard archive.end.account == account.userID else {
                throw Failure(
                    .notPossible, "\(file): it is another account's archive",
                    hint: "`waxwing archive show` reads it without importing")
            }
            try check(archive, file, profiled.reader)
            archives.append((file, archive))
        }
        // In the order of their chain: an earlier archive says where a history begins.
        let (order, findings) = ArchiveChain.check(archives.map { ($0.archive.end, $0.archive.trailer) })
        try tell(findings, archives, profiled.reader)
        for id in order {
            guard let (file, archive) = archives.first(where: { $0.archive.end.id == id }) else { continue }
            let counts: ImportCounts
            do {
                counts = try await Importer(profiled.client, archive).run()
            } catch let error as ArchiveError {
                throw Failure(error, in: file)
            } catch let error as StoreError where error.code == .full {
                let failure = Failure(error)
                throw Failure(
                    failure.status, "\(file): \(failure.message)",
                    hint: "make room, then import again; what came in so far stays")
            } catch CoreError.invalidHistory {
                throw Failure(
                    .archiveDamaged, "\(file): \(Failure(CoreError.invalidHistory).message)",
                    hint: "it is not one that `waxwing export` wrote")
            }
            try tell(file, counts)
        }
    }

    private func check(_ archive: ArchiveReader, _ file: String, _ reader: AccountReader) throws {
        var meter = ProgressMeter("checking \(file)", .bytes)
        defer { meter.end() }
        let report = try ArchiveSignature.check(archive, file) { meter.show($0, of: $1) }
        try signer.checkOwn(report, file, reader)
    }

    /// What an earlier archive holds may be here already, and what is missing can still be imported later.
    private func tell(
        _ findings: [ArchiveChain.Finding], _ archives: [(file: String, archive: ArchiveReader)],
        _ reader: AccountReader
    ) throws {
        let names = Dictionary(archives.map { ($0.archive.end.id, $0.file) }, uniquingKeysWith: { first, _ in first })
        for finding in findings {
            switch finding {
            case .missing(_, let id):
                guard let next = archives.first(where: { $0.archive.end.id == id }) else { continue }
                if try isHere(next.archive.trailer.starts, reader) { continue }
            case .unfit: break
            // Each was signed with an accepted key.
            case .doubled, .forked, .otherAccount, .otherKey, .severalBeginnings: continue
            }
            Console.note(ArchiveWords.text(finding, names))
        }
    }

    private func isHere(_ starts: [ArchiveTrailer.End], _ reader: AccountReader) throws -> Bool {
        try starts.allSatisfy { start in
            guard let group = ID(text: start.group) else { return false }
            return try EraMatch(reader, group: group).holds(era: start.era, sequence: start.sequence)
        }
    }

    private func tell(_ file: String, _ counts: ImportCounts) throws {
        if output.json {
            Console.print(try JSON.line(ImportView(file, counts)))
            return
        }
        var parts = ["\(counts.added) lines added"]
        if counts.opened > 0 { parts.append("\(counts.opened) can be read now") }
        if counts.known > 0 { parts.append("\(counts.known) already here") }
        if counts.misplaced > 0 {
            parts.append("\(counts.misplaced) left out: they do not fit the history here")
        }
        Console.print("\(file): " + parts.joined(separator: ", "))
    }
}

/// What an import did, for scripts.
struct ImportView: Encodable {
    var file: String
    var added: Int
    /// Could not be opened here before, and can be read now.
    var opened: Int
    var known: Int
    /// Left out: another line has their place, the log itself will fill it, or they have no place in any log.
    var misplaced: Int

    init(_ file: String, _ counts: ImportCounts) {
        self.file = file
        added = counts.added
        opened = counts.opened
        known = counts.known
        misplaced = counts.misplaced
    }
}
