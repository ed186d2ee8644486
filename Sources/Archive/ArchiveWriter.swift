public import Age
public import ConclaveProtocol
import FoundationEssentials
public import WaxwingCore

/// What was written.
public struct ArchiveSummary: Hashable, Sendable {
    /// What another archive needs to know that goes on from this one.
    public var end: ArchiveEnd
    public var rows: UInt64
    /// Bytes of the files in it, and of the archive before it is sealed.
    public var contentSize: UInt64
    public var compressedSize: UInt64
}

/// Writes an archive: rows go in one after the other, the sealed file comes out at the end. Memory does not grow with the rows.
public final class ArchiveWriter {
    private let contents: ArchiveContents
    private let signer: any ArchiveSigner
    private let sha256 = SHA256()
    private let messages: LineFile
    private let markdown: LineFile
    private let html: LineFile
    private let markdownHash = SHA256()
    private let htmlHash = SHA256()
    private let userOf: (ID) throws -> ArchiveUser?
    /// Everybody who is named in the archive.
    private var users: [ID: ArchiveUser] = [:]
    private var names: [ID: String] = [:]
    private let groups: [ID: ArchiveGroup]
    private var tallies: [GroupTally] = []
    private var blocks: [ArchiveTrailer.Block] = []
    private var tree: LineTree
    private var blockStart: (group: ID, era: UInt32, sequence: UInt64)?
    private let entropy: AgeEntropy
    private let sealing: AgeSealing
    private let isArmored: Bool
    private var line = TextBuffer()

    /// - Parameters:
    ///   - folder: where temporary files may be made; what is in them is sealed, and they have no names.
    ///   - user: tells of a person who is named in the archive; nil for one who is not known.
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
        func file(_ name: ArchiveFile) -> LineFile {
            LineFile(name.rawValue, Spool(folder: folder, entropy: entropy))
        }
        messages = file(.messages)
        markdown = file(.markdown)
        html = file(.html)
        tree = LineTree(sha256)
        try markdownHash.begin()
        try htmlHash.begin()
        users[contents.account.id] = contents.account
        names[contents.account.id] = contents.account.username
        for group in contents.groups { for member in group.members { try meet(member) } }
        try transcribe { markdown throws(ArchiveError) in
            Markdown.begin(contents, to: &markdown)
        } _: { html throws(ArchiveError) in
            HTML.begin(contents, to: &html)
        }
    }

    /// Adds a row of the log.
    ///
    /// - Throws: ``ArchiveError`` `invalidInput` for a row that is not behind the one before, by group, numbering and sequence.
    public func add(_ row: HistoryRow, of group: ID) throws {
        guard let sequence = row.sequence else {
            throw ArchiveError(.invalidInput, "a row that is not in the log cannot be archived")
        }
        guard let known = groups[group] else { throw ArchiveError(.invalidInput, "a row is of an unknown group") }
        try tally(row, sequence, known)
        try meet(row.sender)
        if case .system(let events) = row.content {
            for event in events {
                try meet(event.actor)
                try meet(event.subject)
            }
        }
        if blockStart == nil { blockStart = (group, row.era, sequence) }
        line.clear()
        RowLine.write(row, sequence: sequence, of: group, sender: names[row.sender] ?? "", to: &line)
        try line.bytes.withBytes { bytes throws(ArchiveError) in try tree.add(bytes) }
        line.append(UInt8(ascii: "\n"))
        let isClosed = try messages.add { text throws(ArchiveError) in text.append(raw: line.bytes) }
        if isClosed { try closeBlock(.messages) }
        try transcribe { [names] markdown throws(ArchiveError) in
            Markdown.write(row, sequence, names, to: &markdown)
        } _: { [names] html throws(ArchiveError) in
            HTML.write(row, sequence, names, to: &html)
        }
    }

    /// Learns the name of somebody, once.
    private func meet(_ user: ID) throws {
        if users[user] != nil { return }
        let known = try userOf(user) ?? ArchiveUser(id: user, username: "")
        users[user] = known
        names[user] = known.username
    }

    private func tally(_ row: HistoryRow, _ sequence: UInt64, _ group: ArchiveGroup) throws(ArchiveError) {
        if tallies.last?.group.id != group.id {
            if let last = tallies.last, !(last.group.id < group.id) {
                throw ArchiveError(.invalidInput, "the groups are not in order")
            }
            tallies.append(GroupTally(group, after: contents.previous?.last[group.id]))
            try transcribe { markdown throws(ArchiveError) in
                Markdown.begin(group, to: &markdown)
            } _: { html throws(ArchiveError) in
                HTML.begin(group, to: &html)
            }
        }
        try tallies[tallies.count - 1].add(row, sequence)
    }

    private func transcribe(
        _ markdown: (inout TextBuffer) throws(ArchiveError) -> Void,
        _ html: (inout TextBuffer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        try transcribe(markdown, to: self.markdown, markdownHash)
        try transcribe(html, to: self.html, htmlHash)
    }

    private func transcribe(
        _ write: (inout TextBuffer) throws(ArchiveError) -> Void, to file: LineFile, _ hash: SHA256
    ) throws(ArchiveError) {
        line.clear()
        try write(&line)
        try line.bytes.withBytes { bytes throws(ArchiveError) in try hash.update(bytes) }
        _ = try file.add { text throws(ArchiveError) in text.append(raw: line.bytes) }
    }

    private func closeBlock(_ file: ArchiveFile) throws(ArchiveError) {
        blocks.append(
            ArchiveTrailer.Block(
                file: file.rawValue, lines: tree.leaves, root: hexEncode(try tree.root()),
                group: blockStart?.group.description, era: blockStart?.era, sequence: blockStart?.sequence))
        tree = LineTree(sha256)
        blockStart = nil
    }

    /// Bytes of compressed text so far: about what the file will have.
    public var compressedSize: UInt64 { messages.compressedSize + markdown.compressedSize + html.compressedSize }

    // MARK: The end

    /// Puts everything together, signs it, and seals it.
    ///
    /// - Parameter put: takes the bytes of the file, in order.
    /// - Throws: ``ArchiveError``, what the signer throws, and what `put` throws.
    public func finish(into put: (UnsafeRawBufferPointer) throws -> Void) throws -> ArchiveSummary {
        if try messages.finish() { try closeBlock(.messages) }
        let summaries = tallies.map(\.summary)
        try transcribe { [contents] markdown throws(ArchiveError) in
            Markdown.end(summaries, waiting: contents.waiting, to: &markdown)
        } _: { [contents] html throws(ArchiveError) in
            HTML.end(summaries, waiting: contents.waiting, to: &html)
        }
        try markdown.finish()
        try html.finish()
        let messageBlocks = blocks
        blocks = []
        let (readme, manifest) = (Readme.text, try Manifest.text(contents, tallies))
        let members = try memberLines()
        let trailer = try trailer(
            files: [
                .readme: SHA256.of(readme), .manifest: SHA256.of(manifest), .markdown: try markdownHash.end(),
                .html: try htmlHash.end(),
            ], blocks: blocks + messageBlocks)
        let (id, trailerText) = try SignedTrailer.text(of: trailer, by: signer)

        var encryptor = try AgeEncryptor(sealing, isArmored: isArmored, entropy: entropy)
        var assembly = Assembly(time: trailer.newest ?? 0)
        assembly.add(.readme, readme)
        assembly.add(.manifest, manifest)
        assembly.add(.members, members)
        for (name, file) in [(ArchiveFile.messages, messages), (.markdown, markdown), (.html, html)] {
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

    private func memberLines() throws(ArchiveError) -> [UInt8] {
        var text = TextBuffer()
        for user in users.values.sorted(by: { $0.id < $1.id }) {
            line.clear()
            MemberLine.write(user, to: &line)
            try line.bytes.withBytes { bytes throws(ArchiveError) in try tree.add(bytes) }
            text.append(raw: line.bytes)
            text.append(UInt8(ascii: "\n"))
        }
        try closeBlock(.members)
        return text.bytes
    }

    private func trailer(files: [ArchiveFile: [UInt8]], blocks: [ArchiveTrailer.Block]) throws(ArchiveError)
        -> ArchiveTrailer
    {
        let first = contents.previous?.last ?? [:]
        var last = first
        for tally in tallies { last[tally.group.id] = tally.last }
        return ArchiveTrailer(
            format: ArchiveTrailer.format, account: contents.account.id.description,
            newest: [ArchiveSpan.of(tallies)?.to, contents.previous?.newest].compactMap(\.self).max(),
            previous: contents.previous?.id, groups: tallies.map(\.summary),
            starts: ArchiveTrailer.list(first), ends: ArchiveTrailer.list(last),
            waiting: contents.waiting,
            files: Dictionary(uniqueKeysWithValues: files.map { ($0.key.rawValue, hexEncode($0.value)) }),
            blocks: blocks, root: hexEncode(try ArchiveTrailer.root(of: blocks, sha256)))
    }
}
