import ConclaveProtocol
import FileStore
import Foundation
import HTTPTransport
import MLSOpenSSL
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// Two profiles of one account, one in each kind of store: the first with a long history, the second empty.
enum Profiles {
    private static let server = "http://127.0.0.1:9"
    private static let account = id(1)
    private static let group = id(200)

    /// - Returns: how long it took, in seconds.
    static func make(rows: Int, in folder: String) async throws -> Double {
        let start = DispatchTime.now().uptimeNanoseconds
        for kind in ["sqlite", "files"] {
            try FileManager.default.createDirectory(
                atPath: folder + "/profiles/" + kind, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        let full = try await client(try SQLiteStore(path: folder + "/profiles/sqlite/store.sqlite"))
        let names = (2...12 as ClosedRange<UInt8>).map {
            ImportedUser(id: id($0), username: "member\($0)", alias: "Member No. \($0)")
        }
        try await full.perform(.importUsers(names))
        for first in stride(from: 1, through: rows, by: ClientLimits.importedRows) {
            let last = min(rows, first + ClientLimits.importedRows - 1)
            let piece = ImportedHistory(
                group: group, name: "bench", alias: "", eras: [0: 0],
                unmarked: [0: UInt64(rows) - min(UInt64(rows), ClientLimits.importedMarks)],
                rows: (first...last).map(row))
            try await full.perform(.importHistory(piece))
        }
        _ = try await client(try FileStore(path: folder + "/profiles/files/store"))
        return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }

    private static func client(_ store: any Store) async throws -> Client {
        let client = try Client(
            store: store, transport: HTTPTransport(HTTPTransport.Options(server: server)), provider: OpenSSLProvider(),
            entropy: SystemEntropy(), clock: { Moment(wall: Instant(milliseconds: 0)) })
        let session = Session(
            token: SessionToken(String(repeating: "a", count: 64)), userID: account, username: "alice")
        try await client.perform(.signIn(session, serverURL: server))
        return client
    }

    // MARK: Messages as people write them

    private static func row(_ number: Int) -> HistoryRow {
        var chance = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            chance = chance &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return chance >> 33
        }
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
        let sender = id(UInt8(1 + next() % 12))
        let time = 1_600_000_000 + UInt64(number) * 97 + next() % 60
        if number % 200 == 0 {
            return HistoryRow(
                sequence: UInt64(number), era: 0, sender: sender, time: time,
                content: .system([SystemEvent(.rotated, actor: sender)]), epoch: UInt64(number / 200), digest: bytes(32)
            )
        }
        let count = 3 + next() % 14
        let text = (0..<count).map { _ in words[Int(next() % UInt64(words.count))] }.joined(separator: " ")
        return HistoryRow(
            sequence: UInt64(number), era: 0, sender: sender, time: time, content: .text(text),
            epoch: UInt64(number / 200), generation: UInt32(number % 200), messageID: MessageID(bytes(16)),
            digest: bytes(32))
    }

    private static let words = """
        noon at the fountain bring bread and cheese somebody who can open a bottle has it see you there I will be late again \
        train is not running today rain wind sun good morning night thanks yes no maybe perhaps tomorrow on Friday next week \
        where are we meeting which bridge by the river left right behind station market square old town harbour ferry ticket
        """.split(separator: " ").map(String.init)

    private static func id(_ number: UInt8) -> ID { ID([UInt8](repeating: number, count: 16)) ?? .nobody }
}
