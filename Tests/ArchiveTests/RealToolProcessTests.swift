import Age
import Archive
import Foundation
import Testing

/// The distribution's tools; nil if one is missing.
enum RealTools {
    static let areThere = ["age", "zstd", "tar"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0)
            || FileManager.default.isExecutableFile(atPath: "/bin/" + $0)
    }
}

/// Archives can be read without this program, and it can read what the tools put together again.
@Suite(.enabled(if: RealTools.areThere, "skipped: age, zstd or tar is not installed (apt install age zstd tar)"))
struct RealToolProcessTests {
    private let folder = NSTemporaryDirectory() + "waxwing-archive-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test(arguments: [10, 2500])
    func theToolsOpenIt(_ count: Int) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // It is temporary in any case.
        let identity = try #require(Sample.identity)
        let (file, summary) = try Sample.write(Sample.contents(), Sample.rows(count))
        try Data(file).write(to: URL(fileURLWithPath: folder + "/archive.tar.zst.age"))
        try Data(identity.unwipedText.utf8).write(to: URL(fileURLWithPath: folder + "/key"))
        try shell("mkdir out && age -d -i key archive.tar.zst.age | zstd -d | tar -x -C out")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/out").sorted()
        #expect(
            names == [
                "README.txt", "manifest.json", "members.jsonl", "messages.jsonl", "trailer.json", "transcript.html",
                "transcript.md",
            ])
        let messages = try String(contentsOfFile: folder + "/out/messages.jsonl", encoding: .utf8)
            .split(separator: "\n")
        #expect(messages.count == 2 * count)
        struct Line: Decodable {
            var sequence: UInt64
            var type: String
            var text: String?
            var utc: String
        }
        let rows = Sample.rows(count)
        for (line, row) in zip(messages, rows + rows) {
            let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            #expect(line.sequence == row.sequence)
            if case .text(let text) = row.content { #expect(line.text == text) }
        }
        for name in ["manifest.json", "trailer.json"] {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/out/" + name))
            #expect(try JSONSerialization.jsonObject(with: data) is [String: Any])
        }

        // And back again, only with the tools.
        let files = "README.txt manifest.json members.jsonl messages.jsonl transcript.md transcript.html trailer.json"
        for zstd in ["zstd -1", "zstd -19"] {
            try shell("tar -C out -c \(files) | \(zstd) | age -r \(identity.recipient) > again.age")
            let again = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/again.age")))
            #expect(try Sample.allRows(again) == Sample.allRows(file))
            let reader = try Sample.read(again)
            #expect(reader.end == summary.end)
            #expect(
                try reader.rows(of: Sample.id(2), from: .init(era: 0, sequence: 5), limit: 3)
                    == Array(rows.dropFirst(4).prefix(3)))
        }
        try shell(
            "echo x >> out/transcript.md; tar -C out -c \(files) | zstd | age -r \(identity.recipient) > altered.age")
        let altered = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/altered.age")))
        #expect(throws: ArchiveError(.damaged, "")) { try Sample.allRows(altered) }
        try shell("tar -C out -c trailer.json | zstd | age -r \(identity.recipient) > other.age")
        let other = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/other.age")))
        #expect(throws: ArchiveError(.notAnArchive, "")) { try Sample.read(other) }
    }

    /// As README.txt in the archive describes it.
    @Test func theHashesAreCheckedWithoutThisProgram() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // It is temporary in any case.
        let identity = try #require(Sample.identity)
        try Data(Sample.write(Sample.contents(), Sample.rows(30)).file)
            .write(to: URL(fileURLWithPath: folder + "/archive.age"))
        try Data(identity.unwipedText.utf8).write(to: URL(fileURLWithPath: folder + "/key"))
        try shell("age -d -i key archive.age | zstd -d | tar -x")
        for file in ["members.jsonl", "messages.jsonl"] {
            try shell(
                """
                root=$( (printf 01; while IFS= read -r line; do printf '%s\\n' "$line" | sha256sum | cut -c -64; done < \(file)) \
                    | tr -d '\\n' | tr a-f A-F | basenc -d --base16 | sha256sum | cut -c -64)
                grep -q "$root" trailer.json
                """)
        }
        for file in ["README.txt", "manifest.json", "transcript.md", "transcript.html"] {
            try shell("grep -q $(sha256sum \(file) | cut -c -64) trailer.json")
        }
    }

    private func shell(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-o", "pipefail", "-c", command]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command) failed")
    }
}
