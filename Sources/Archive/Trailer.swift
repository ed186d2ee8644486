import ConclaveProtocol
import FoundationEssentials

/// What an archive says of itself at its end, under a signature.
public struct ArchiveTrailer: Codable, Hashable, Sendable {
    /// Sequence numbers from one to another, both among them.
    public struct Range: Codable, Hashable, Sendable {
        public var era: UInt32
        public var first: UInt64
        public var last: UInt64

        public init(era: UInt32, first: UInt64, last: UInt64) {
            self.era = era
            self.first = first
            self.last = last
        }
    }

    /// What there is of a group.
    public struct Group: Codable, Hashable, Sendable {
        public var id: String
        public var name: String
        public var alias: String
        public var rows: UInt64
        /// When, by the server's clock.
        public var span: ArchiveSpan?
        /// One for each numbering.
        public var ranges: [Range]
        /// Numbers that are not there, though there are rows on both sides: the first of them.
        public var gaps: [Range]
        /// How many there are, listed or not.
        public var gapCount: UInt64
        public var joinedEpoch: UInt64
        /// Rows that could not be opened, by reason.
        public var unreadable: [String: UInt64]
    }

    /// Lines that are hashed together: as many as make a mebibyte.
    public struct Block: Codable, Hashable, Sendable {
        public var file: String
        public var lines: UInt64
        /// Of the tree over the lines, in hex.
        public var root: String
        /// Where the first line is a row: which.
        public var group: String?
        public var era: UInt32?
        public var sequence: UInt64?
    }

    /// The last row of a group, here or in the archives before.
    public struct End: Codable, Hashable, Sendable {
        public var group: String
        public var era: UInt32
        public var sequence: UInt64
    }

    /// The newest format that is read and the one that is written.
    static let format = 1
    /// Gaps that are listed for a group.
    static let gapsMax = 100

    public var format: Int
    public var account: String
    /// The newest time of a row, in this archive or in those it goes on from, in Unix seconds.
    public var newest: UInt64?
    /// The id of the archive that this one goes on from.
    public var previous: String?
    public var groups: [Group]
    /// Where the archive begins: the ends of the one that it goes on from.
    public var starts: [End]
    public var ends: [End]
    /// Rows that were left out because they were not in the log yet.
    public var waiting: Int
    /// SHA-256 of the files that are not lines, in hex.
    public var files: [String: String]
    public var blocks: [Block]
    /// Of the tree over the blocks' roots, in hex.
    public var root: String

    public var rows: UInt64 { groups.reduce(0) { $0 &+ $1.rows } }
    /// From the first of all rows to the last; nil where there is none.
    public var span: ArchiveSpan? {
        groups.compactMap(\.span).reduce(nil) { .including($1.to, .including($1.from, $0)) }
    }
}

/// A trailer with its signature.
struct SignedTrailer {
    /// By whom.
    struct Signature: Codable, Hashable {
        /// Number of the MLS cipher suite whose signature scheme it is.
        var suite: UInt16
        var publicKey: String
        var signature: String
    }

    private static let head = Array(#"{"archive":"#.utf8)
    private static let middle = Array(",\n\"signature\":".utf8)
    private static let label = Array("Waxwing archive 1\n".utf8)

    let trailer: ArchiveTrailer
    let signature: Signature
    /// The bytes that the signature covers, behind their label.
    let signed: [UInt8]

    /// SHA-256 of what is signed, in hex.
    var id: String { hexEncode(SHA256.of(signed)) }
    /// What the signature is of.
    var message: [UInt8] { Self.label + signed }

    /// Signs a trailer, and gives the whole text of the file.
    static func text(of trailer: ArchiveTrailer, by signer: any ArchiveSigner) throws -> (id: String, text: [UInt8]) {
        let signed = try encoded(trailer)
        let signature = Signature(
            suite: signer.suite, publicKey: hexEncode(signer.publicKey),
            signature: hexEncode(try signer.sign(label + signed)))
        let text = head + signed + middle + (try encoded(signature)) + Array("}\n".utf8)
        return (hexEncode(SHA256.of(signed)), text)
    }

    /// - Throws: `damaged`, `newerFormat`.
    init(_ text: [UInt8]) throws(ArchiveError) {
        let damaged = ArchiveError(.damaged, "the archive's trailer cannot be read")
        guard text.starts(with: Self.head), text.suffix(2).elementsEqual("}\n".utf8),
            let middle = Self.lastIndex(of: Self.middle, in: text)
        else { throw damaged }
        signed = Array(text[Self.head.count..<middle])
        let decoder = JSONDecoder()
        struct Version: Decodable { var format: Int }
        guard let version = try? decoder.decode(Version.self, from: Data(signed)) else { throw damaged }
        if version.format > ArchiveTrailer.format {
            throw ArchiveError(
                .newerFormat,
                "the archive is of format \(version.format); this program reads format \(ArchiveTrailer.format)")
        }
        // What cannot be decoded is damaged, however it is.
        guard let trailer = try? decoder.decode(ArchiveTrailer.self, from: Data(signed)),
            let signature = try? decoder.decode(
                Signature.self, from: Data(text[(middle + Self.middle.count)..<(text.count - 2)]))
        else { throw damaged }
        self.trailer = trailer
        self.signature = signature
    }

    private static func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }

    private static func lastIndex(of word: [UInt8], in text: [UInt8]) -> Int? {
        var place = text.count - word.count
        while place >= 0 {
            if text[place...].starts(with: word) { return place }
            place -= 1
        }
        return nil
    }
}
