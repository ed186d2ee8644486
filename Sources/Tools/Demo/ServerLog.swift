import Foundation

/// The server's log, read directly from its file: the commits it accepted, and for which epochs.
struct ServerLog {
    struct Commit: Hashable {
        let sequence: Int
        let sender: String
        let epoch: UInt64
    }

    let commits: [Commit]

    /// - Parameter database: the server's file; the server may be running.
    init(_ database: URL) throws {
        // A commit is an MLSMessage with a PublicMessage (RFC 9420 §6): version 1 and wire format 1, the group id
        // behind one byte of length, the epoch, a sender that is a member (type 1, leaf index), the authenticated data,
        // and content type 3.
        let sql = """
            WITH row AS (
                SELECT sequence, username, hex(data) AS bytes FROM message JOIN user ON user.id = sender_id
                WHERE substr(data, 1, 4) = x'00010001'
            )
            SELECT sequence, username, bytes FROM row ORDER BY sequence
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-readonly", "-separator", " ", database.path, sql]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Trouble("the server's database cannot be read") }
        commits = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ")
            guard columns.count == 3, let sequence = Int(columns[0]), let epoch = Self.epoch(Array(columns[2])) else {
                return nil
            }
            return Commit(sequence: sequence, sender: String(columns[1]), epoch: epoch)
        }
    }

    /// Nil for anything but a commit of a member.
    private static func epoch(_ digits: [Character]) -> UInt64? {
        func number(at offset: Int, bytes: Int) -> UInt64? {
            let range = 2 * offset..<2 * (offset + bytes)
            return range.upperBound <= digits.count ? UInt64(String(digits[range]), radix: 16) : nil
        }
        guard let length = number(at: 4, bytes: 1), length < 64 else { return nil }
        let afterID = 5 + Int(length)
        guard let epoch = number(at: afterID, bytes: 8), number(at: afterID + 8, bytes: 1) == 1,
            let dataLength = number(at: afterID + 13, bytes: 1), dataLength < 64,
            number(at: afterID + 14 + Int(dataLength), bytes: 1) == 3
        else { return nil }
        return epoch
    }
}
