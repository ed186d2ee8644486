import Age
import Archive
import ConclaveProtocol
import Foundation
import MLS
import MLSOpenSSL
import Synchronization
import WaxwingCore

/// Conversations that are the same on every run.
enum Sample {
    static let identity = try? AgeIdentity("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")

    static func id(_ number: UInt8) -> ID { ID([UInt8](repeating: number, count: 16)) ?? .nobody }

    static func contents(groups: [UInt8] = [1, 2], previous: ArchiveEnd? = nil) -> ArchiveContents {
        ArchiveContents(
            account: users[1], server: "https://chat.example.org",
            groups: groups.map {
                ArchiveGroup(
                    id: id($0), name: "group-\($0)", alias: "The <b>lunch</b> & co", status: "active",
                    mlsGroupID: [1, 2, $0], joinedEpoch: 1, members: [id(10), id(11)])
            }, waiting: 2, previous: previous)
    }

    static let users = [
        ArchiveUser(id: id(11), username: "b\"ob", alias: "Bob\nby", fingerprint: "bb", isVerified: true),
        ArchiveUser(id: id(10), username: "alice", fingerprint: "aa"),
    ]

    static func user(_ id: ID) -> ArchiveUser? { users.first { $0.id == id } }

    /// Rows of every kind, and with every field.
    static func rows(_ count: Int, from first: UInt64 = 1) -> [HistoryRow] {
        (0..<UInt64(count)).map { index in
            let sequence = first + index
            var row = HistoryRow(
                sequence: sequence, era: 0, sender: id(sequence % 2 == 0 ? 10 : 11), time: 1_780_000_000 + sequence,
                content: .text(texts[Int(sequence) % texts.count]), epoch: sequence / 7, digest: SHA(sequence))
            switch sequence % 6 {
            case 0:
                row.content = .system(
                    SystemEvent.Kind.allCases.map {
                        SystemEvent($0, actor: id(10), subject: id(11), count: $0 == .missing ? 40 : 1)
                    })
            case 1: row.content = .unreadable(HistoryRow.Unreadable(rawValue: UInt8(sequence / 6 % 7) + 1) ?? .forged)
            case 2:
                row.generation = UInt32(truncatingIfNeeded: sequence &* 3)
                row.messageID = MessageID([UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: 16))
            case 3:
                row.hasOtherKey = true
                row.digest = []
            default: break
            }
            return row
        }
    }

    private static let texts = [
        "Noon at the fountain?", "", "two\nlines\r\n and \"quotes\" \\ and \u{0}\u{1}\u{1F} controls", "☂ äöü 漢字 👩‍👩‍👧",
        "<script>alert(1)</script><img src=x onerror=alert(2)>", "\u{202E}evil\u{2066} and \u{200B}hidden",
        "# no heading\n* no list [no](javascript:alert(1)) `no code` | a | b |",
        String(repeating: "a long message, ", count: 400),
    ]

    private static func SHA(_ number: UInt64) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
    }

    static func write(
        _ contents: ArchiveContents = contents(), _ rows: [HistoryRow] = rows(60), to sealing: AgeSealing? = nil,
        isArmored: Bool = false, signer: Signer? = nil, seed: UInt64 = 1
    ) throws -> (file: [UInt8], summary: ArchiveSummary) {
        let sealing = sealing ?? .recipients(identity.map { [$0.recipient] } ?? [])
        let writer = try ArchiveWriter(
            contents, to: sealing, isArmored: isArmored, signer: signer ?? Signer(), folder: NSTemporaryDirectory(),
            entropy: Entropy(seed).age, user: user)
        for group in contents.groups { try writer.add(HistoryPage(rows), of: group.id) }
        var file: [UInt8] = []
        let summary = try writer.finish { file += $0 }
        return (file, summary)
    }

    static var opening: AgeOpening { .identities(identity.map { [$0] } ?? []) }

    static func read(_ file: [UInt8], by opening: AgeOpening = opening) throws -> ArchiveReader {
        try ArchiveReader(MemorySource(file), opening)
    }

    /// Whether a signature is valid.
    static func verify(_ suite: UInt16, _ key: [UInt8], _ message: [UInt8], _ signature: [UInt8]) throws -> Bool {
        guard let suite = CipherSuite(rawValue: suite) else { return false }
        return try OpenSSLProvider().suite(suite).verify(publicKey: key, message, signature: signature)
    }

    /// All rows of an archive that is whole.
    static func allRows(_ file: [UInt8]) throws -> [ID: [HistoryRow]] {
        let reader = try read(file)
        _ = try reader.verify(verify)
        var rows: [ID: [HistoryRow]] = [:]
        try reader.forEachRow { group, row in rows[group, default: []].append(row) }
        return rows
    }

    /// The plaintext of an archive: the compressed stream.
    static func plaintext(_ file: [UInt8]) throws -> [UInt8] {
        let reader = try AgeReader(MemorySource(file), opening)
        var bytes = [UInt8](repeating: 0, count: Int(reader.count))
        var done = 0
        while done < bytes.count {
            done += try bytes[done...].withUnsafeMutableBytes { try reader.read(at: UInt64(done), into: $0) }
        }
        return bytes
    }

    static func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
        var file: [UInt8] = []
        var encryptor = try AgeEncryptor(
            .recipients(identity.map { [$0.recipient] } ?? []), entropy: Entropy(9).age)
        try plaintext.withUnsafeBytes { try encryptor.write($0) { file += $0 } }
        try encryptor.finish { file += $0 }
        return file
    }
}

/// An account's key, always the same.
struct Signer: ArchiveSigner {
    let suite = CipherSuite.x448_chacha20poly1305_sha512_ed448.rawValue
    private let key: SignaturePrivateKey
    var publicKey: [UInt8] { key.publicKey }

    init(_ seed: UInt8 = 5) throws {
        let raw = Secret([UInt8](repeating: seed, count: 57))
        key = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448).signatureKey(raw: raw)
    }

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448).sign(key, message)
    }
}

/// Bytes that look random and are the same on every run.
final class Entropy: Sendable {
    private let state: Mutex<UInt64>

    init(_ seed: UInt64) { state = Mutex(seed &* 2_654_435_761 &+ 1) }

    func next() -> UInt64 {
        state.withLock { state in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }

    var age: AgeEntropy { { count in SecretBytes((0..<count).map { _ in UInt8(truncatingIfNeeded: self.next()) }) } }
}
