import OpenSSLPrimitives
import ConclaveProtocol
import FoundationEssentials

/// The signed description of an archive, at its end.
public struct ArchiveTrailer: Codable, Hashable, Sendable {
    /// A range of sequence numbers, including both ends.
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

    /// What the archive has of a group.
    public struct Group: Codable, Hashable, Sendable {
        public var id: String
        public var name: String
        public var alias: String
        public var rows: UInt64
        /// The range of times, by the server's clock.
        public var span: ArchiveSpan?
        /// One for each era.
        public var ranges: [Range]
        /// The first of the missing numbers between rows.
        public var gaps: [Range]
        /// How many there are, listed or not.
        public var gapCount: UInt64
        public var joinedEpoch: UInt64
        /// Rows that could not be opened, by reason.
        public var unreadable: [String: UInt64]
    }

    /// Lines that are hashed together: about a mebibyte, but at least one line.
    public struct Block: Codable, Hashable, Sendable {
        public var file: String
        public var lines: UInt64
        /// SHA-256, in hex, of a byte 1 followed by the SHA-256 of each line with its end.
        public var root: String
        /// The row in the first line, if it is one.
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

    /// The newest format that is read, which is also the one that is written.
    static let format = 1
    /// How many gaps are listed for a group.
    static let gapsMax = 100

    public var format: Int
    public var account: String
    /// The signer: the number of the MLS cipher suite whose signature scheme it is, and the public key in lower-case
    /// hex.
    public var suite: UInt16
    public var publicKey: String
    /// The newest time of a row, in this archive or in those it continues, in Unix seconds.
    public var newest: UInt64?
    /// The id of the archive that this one continues.
    public var previous: String?
    public var groups: [Group]
    /// Where the archive begins: the ends of the one that it continues.
    public var starts: [End]
    public var ends: [End]
    /// Rows that were left out because they were not in the log yet.
    public var waiting: Int
    /// SHA-256 of the files that are not made of lines, in hex.
    public var files: [String: String]
    public var blocks: [Block]
    /// SHA-256, in hex, of a byte 1 followed by the roots of the blocks.
    public var root: String

    public var rows: UInt64 { groups.reduce(0) { $0 &+ $1.rows } }
    /// The range from the first row of all to the last; nil if there are no rows.
    public var span: ArchiveSpan? {
        .covering(groups.compactMap(\.span))
    }
}

/// A trailer with its signature.
struct SignedTrailer {
    private static let head = Array(#"{"archive":"#.utf8)
    private static let middle = Array(",\n\"signature\":\"".utf8)
    private static let tail = Array("\"}\n".utf8)
    private static let label = Array("Waxwing archive 1\n".utf8)
    /// The maximum length of a signature in hex, in bytes: no scheme has a longer one.
    private static let signatureMax = 512

    let trailer: ArchiveTrailer
    let publicKey: [UInt8]
    /// In lower-case hex.
    let signature: String
    /// The bytes that the signature covers, after their label.
    let signed: [UInt8]

    /// SHA-256 of what is signed, in hex. It covers the key, too.
    var id: String { hexEncode(SHA256.of(signed)) }
    /// The label of the signature.
    var message: [UInt8] { Self.label + signed }

    /// Signs a trailer, and returns the whole text of the file.
    static func text(of trailer: ArchiveTrailer, by signer: any ArchiveSigner) throws -> (id: String, text: [UInt8]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let signed = [UInt8](try encoder.encode(trailer))
        let signature = Array(hexEncode(try signer.sign(label + signed)).utf8)
        return (hexEncode(SHA256.of(signed)), head + signed + middle + signature + tail)
    }

    /// - Throws: `damaged`, `newerFormat`.
    init(_ text: [UInt8]) throws(ArchiveError) {
        let damaged = ArchiveError(.damaged, "the archive's trailer cannot be read")
        let hex = text.dropLast(Self.tail.count).suffix(Self.signatureMax)
            .reversed().prefix { (48...57).contains($0) || (97...102).contains($0) }.count
        let middle = text.count - Self.tail.count - hex - Self.middle.count
        guard text.starts(with: Self.head), text.suffix(Self.tail.count).elementsEqual(Self.tail),
            middle > Self.head.count, text[middle...].starts(with: Self.middle)
        else { throw damaged }
        signed = Array(text[Self.head.count..<middle])
        signature = String(decoding: text[(middle + Self.middle.count)...].prefix(hex), as: UTF8.self)
        // What cannot be decoded is damaged, or newer.
        guard let trailer = try? JSONDecoder().decode(ArchiveTrailer.self, from: Data(signed)),
            trailer.format == ArchiveTrailer.format
        else {
            struct Version: Decodable { var format: Int }
            guard let version = try? JSONDecoder().decode(Version.self, from: Data(signed)),
                version.format > ArchiveTrailer.format
            else { throw damaged }
            throw ArchiveError(
                .newerFormat,
                "the archive is of format \(version.format); this program reads format \(ArchiveTrailer.format)")
        }
        guard trailer.isSound, let key = hexDecode(Array(trailer.publicKey.utf8)) else { throw damaged }
        self.trailer = trailer
        publicKey = key
    }
}

extension ArchiveTrailer {
    /// Whether it says nothing that is impossible for an archive: what is printed and added up later must be what it
    /// seems.
    fileprivate var isSound: Bool {
        func isDigest(_ text: String) -> Bool {
            text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        }
        let ids = groups.map(\.id)
        let reasons = Set(RowLine.reasons.map { "\($0.name)" })
        return ID(text: account) != nil && waiting >= 0
            && previous.map(isDigest) ?? starts.isEmpty
            && blocks.allSatisfy { $0.lines > 0 }
            && ids.allSatisfy { ID(text: $0)?.description == $0 } && zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }
            && groups.allSatisfy { group in
                group.rows < 1 << 48 && group.gaps.count <= Self.gapsMax
                    && group.unreadable.allSatisfy { reasons.contains($0.key) && $0.value <= group.rows }
            }
    }
}
