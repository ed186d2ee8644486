import OpenSSLPrimitives
public import Age
public import ConclaveProtocol
import FoundationEssentials
public import WaxwingCore

/// What was written.
public struct ArchiveSummary: Hashable, Sendable {
    /// What an archive that continues this one needs to know.
    public var end: ArchiveEnd
    public var rows: UInt64
    /// The size in bytes of the files in it, and of the archive before it is sealed.
    public var contentSize: UInt64
    public var compressedSize: UInt64
}

/// Writes an archive: rows go in one after the other, the sealed file comes out at the end. Memory use does not grow
/// with the rows.
public final class ArchiveWriter {
    private let contents: ArchiveContents
    private let signer: any ArchiveSigner
    private let messages: MessagesFile
    private let markdown: TranscriptFile
    private let html: TranscriptFile
    private let userOf: (ID) throws -> ArchiveUser?
    /// Everyone who is named in the archive.
    private var users: [ID: ArchiveUser] = [:]
    private var people: [ID: Person] = [:]
    private let groups: [ID: ArchiveGroup]
    private var tallies: [GroupTally] = []
    private let entropy: AgeEntropy
    private let sealing: AgeSealing
    private let isArmored: Bool

    /// - Parameters:
    ///   - folder: for temporary files; what is in them is sealed, and they have no names.
    ///   - user: returns a person named in the archive; nil if they are not known.
    /// - Throws: ``ArchiveError``, and what `user` throws.
    public init(
        _ contents: ArchiveContents, to sealing: AgeSealing, isArmored: Bool = false, signer: any ArchiveSigner,
        folder: String, entropy: @escaping AgeEntropy, user: @escaping (ID) throws -> ArchiveUser?
    ) throws {
        self.contents = contents
        self.sealing = sealing
        self.isArmored = isArmored
        self.signer = signer
        self.entropy = entropy
        userOf = user
        groups = Dictionary(contents.groups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        guard groups.count == contents.groups.count else {
            throw ArchiveError(.invalidInput, "a group is named twice")
        }
        func spool() -> Spool { Spool(folder: folder, entropy: entropy) }
        messages = MessagesFile(spool())
        markdown = try TranscriptFile(.markdown, spool(), heading: Markdown.begin, line: Markdown.write)
        html = try TranscriptFile(.html, spool(), heading: HTML.begin, line: HTML.write)
        learn(contents.account)
        for group in contents.groups { for member in group.members { _ = try person(member) } }
        try markdown.add { Markdown.begin(contents, to: &$0) }
        try html.add { HTML.begin(contents, to: &$0) }
    }

    deinit {
        messages.stop()
        markdown.stop()
        html.stop()
    }

    /// Adds rows of the log.
    ///
    /// - Throws: ``ArchiveError`` `invalidInput` for a row that does not come after the one before, by group, era and
    ///   sequence, or that has no sequence; also errors of earlier rows. After that, the writer cannot be used.
    public func add(_ page: HistoryPage, of group: ID) throws {
        guard let known = groups[group] else { throw ArchiveError(.invalidInput, "a row is of an unknown group") }
        // A group without rows is not mentioned.
        if page.rows.isEmpty { return }
        let batch = try RowBatch(page, of: known, isFirst: try begin(known), person)
        for (row, sequence) in zip(page.rows, batch.sequences) {
            try tallies[tallies.count - 1].add(RowFacts(row, sequence, of: group))
        }
        // Each of the files makes its own lines.
        try messages.add(batch)
        try markdown.add(batch)
        try html.add(batch)
    }

    /// - Returns: whether the group is a new one.
    private func begin(_ group: ArchiveGroup) throws(ArchiveError) -> Bool {
        if let last = tallies.last {
            if last.group.id == group.id { return false }
            guard last.group.id < group.id else {
                throw ArchiveError(.invalidInput, "the groups are not in order")
            }
        }
        tallies.append(GroupTally(group, after: contents.previous?.last[group.id]))
        return true
    }

    /// A person, who is looked up once.
    private func person(_ id: ID) throws -> Person {
        if let known = people[id] { return known }
        return learn(try userOf(id) ?? ArchiveUser(id: id, username: ""))
    }

    @discardableResult private func learn(_ user: ArchiveUser) -> Person {
        let person = Person(user)
        users[user.id] = user
        people[user.id] = person
        return person
    }

    /// Bytes of compressed text so far: about the size of the file.
    public var compressedSize: UInt64 {
        messages.file.compressedSize + markdown.file.compressedSize + html.file.compressedSize
    }

    // MARK: The end

    /// Puts everything together, signs it, and seals it.
    ///
    /// - Parameter put: takes the bytes of the file, in order.
    /// - Throws: ``ArchiveError``, what the signer throws, and what `put` throws.
    public func finish(into put: (UnsafeRawBufferPointer) throws -> Void) throws -> ArchiveSummary {
        let summaries = tallies.map(\.summary)
        try markdown.add { [contents] in Markdown.end(summaries, waiting: contents.waiting, to: &$0) }
        try html.add { [contents] in HTML.end(summaries, waiting: contents.waiting, to: &$0) }
        try messages.finish()
        let (readme, manifest) = (Readme.text, try Manifest.text(contents, tallies))
        let (members, memberBlock) = try memberLines()
        let trailer = try trailer(
            files: [
                .readme: SHA256.of(readme), .manifest: SHA256.of(manifest), .markdown: try markdown.finish(),
                .html: try html.finish(),
            ], blocks: [memberBlock] + messages.blocks)
        let (id, trailerText) = try SignedTrailer.text(of: trailer, by: signer)

        var encryptor = try AgeEncryptor(sealing, isArmored: isArmored, entropy: entropy)
        var assembly = Assembly(time: trailer.newest ?? 0)
        assembly.add(.readme, readme)
        assembly.add(.manifest, manifest)
        assembly.add(.members, members)
        for (name, file) in [
            (ArchiveFile.messages, messages.file), (.markdown, markdown.file), (.html, html.file),
        ] {
            assembly.begin(name, size: file.contentSize)
            try assembly.closeGlue().withUnsafeBytes { try encryptor.write($0, put) }
            try file.drain { try encryptor.write($0, put) }
            assembly.append(file.frames, size: file.contentSize)
        }
        assembly.add(.trailer, trailerText)
        assembly.end()
        try (try assembly.closeGlue() + assembly.table.encoded).withUnsafeBytes { try encryptor.write($0, put) }
        try encryptor.finish(put)
        return ArchiveSummary(
            end: try trailer.end(id: id), rows: trailer.rows, contentSize: assembly.contentSize,
            compressedSize: assembly.compressedSize)
    }

    private func memberLines() throws(ArchiveError) -> (text: [UInt8], block: ArchiveTrailer.Block) {
        var text = TextBuffer()
        let tree = LineTree()
        for user in users.values.sorted(by: { $0.id < $1.id }) {
            let start = text.count
            MemberLine.write(user, to: &text)
            tree.add(UnsafeRawBufferPointer(rebasing: text.contents[start...]))
        }
        let block = ArchiveTrailer.Block(
            file: ArchiveFile.members.rawValue, lines: tree.leaves, root: hexEncode(tree.root()))
        return (text.bytes, block)
    }

    private func trailer(files: [ArchiveFile: [UInt8]], blocks: [ArchiveTrailer.Block]) throws(ArchiveError)
        -> ArchiveTrailer
    {
        let first = contents.previous?.last ?? [:]
        var last = first
        for tally in tallies { last[tally.group.id] = tally.last }
        return ArchiveTrailer(
            format: ArchiveTrailer.format, account: contents.account.id.description, suite: signer.suite,
            publicKey: hexEncode(signer.publicKey),
            newest: [ArchiveSpan.covering(tallies.compactMap(\.span))?.to, contents.previous?.newest].compactMap(\.self)
                .max(),
            previous: contents.previous?.id, groups: tallies.map(\.summary),
            starts: ArchiveTrailer.list(first), ends: ArchiveTrailer.list(last),
            waiting: contents.waiting,
            files: Dictionary(uniqueKeysWithValues: files.map { ($0.key.rawValue, hexEncode($0.value)) }),
            blocks: blocks, root: hexEncode(try ArchiveTrailer.root(of: blocks)))
    }
}
