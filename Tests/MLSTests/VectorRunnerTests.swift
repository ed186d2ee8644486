import Foundation
import MLSOpenSSL
import MLSVectorRunner
import Testing

struct VectorRunnerTests {
    /// Whatever is in a file of vectors, the vector fails, and not the runner.
    @Test(.enabled(if: VectorTests.folder != nil, VectorTests.whyNot))
    func vectorsThatContradictThemselvesFail() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let official = try #require(VectorTests.folder)
        /// The first case of a file with something else in it, as often as there are changes.
        func write(_ name: String, _ changes: [(inout [String: Any]) -> Void]) throws {
            let data = try Data(contentsOf: official.appendingPathComponent(name + ".json"))
            let cases = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
            let first = try #require(cases.first)
            let changed = changes.map { change in
                var content = first
                change(&content)
                return content
            }
            try JSONSerialization.data(withJSONObject: changed).write(to: folder.appendingPathComponent(name + ".json"))
        }
        func set(_ path: String..., to value: Any) -> (inout [String: Any]) -> Void {
            { content in
                if path.count == 1 {
                    content[path[0]] = value
                } else if var inner = content[path[0]] as? [String: Any] {
                    inner[path[1]] = value
                    content[path[0]] = inner
                } else if var list = content[path[0]] as? [[String: Any]], var inner = list.first {
                    inner[path[1]] = value
                    list[0] = inner
                    content[path[0]] = list
                }
            }
        }
        try write(
            "crypto-basics",
            [-1, 255 * 32 + 1, Int(Int32.max)].flatMap { length in
                ["expand_with_label", "derive_tree_secret"].map { set($0, "length", to: length) }
            })
        try write(
            "tree-math",
            ["left", "right", "parent", "sibling"].map { set($0, to: [Int]()) }
                + [set("n_leaves", to: 1 << 31), set("n_leaves", to: 0), set("n_nodes", to: 0xFFFF_FFFF as UInt32)])
        try write("tree-validation", ["resolutions", "tree_hashes"].map { set($0, to: [Any]()) })
        try write(
            "treekem",
            [
                set("update_paths", "path_secrets", to: [Any]()),
                set("update_paths", "sender", to: 0xFFFF_FFFF as UInt32),
            ])
        try write("deserialization", [set("length", to: -1), set("length", to: 1 << 40)])
        let report = try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder)
        #expect(report.summary == "0 passed, 19 failed, 0 skipped", "\(report.details.joined(separator: "\n"))")
    }

    @Test func aLengthIsReadThoughWeDoNotTakeSoMuch() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let cases =
            #"[{"vlbytes_header":"bfffffff","length":1073741823},{"vlbytes_header":"bfffffff","length":1073741822}]"#
        try Data(cases.utf8).write(to: folder.appendingPathComponent("deserialization.json"))
        let report = try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder)
        #expect(report.summary == "1 passed, 1 failed, 0 skipped", "\(report.details)")
    }

    @Test func failuresAndSkipsAreNamedAndCounted() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = [
            "deserialization":
                #"[{"vlbytes_header":"05","length":5},{"vlbytes_header":"05","length":6},{"vlbytes_header":"c0","length":0}]"#,
            "crypto-basics": "[{}]",
            "weather": "[]",
        ]
        for (name, content) in files {
            try Data(content.utf8).write(to: folder.appendingPathComponent(name + ".json"))
        }
        let report = try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder)
        #expect(report.summary == "1 passed, 3 failed, 1 skipped")
        let starts = [
            "FAILED   crypto-basics: cannot be read",
            "FAILED   deserialization case 1: the length differs: got 5, expected 6",
            "FAILED   deserialization case 2: malformed",
            "skipped  weather: no check for this kind of file",
        ]
        #expect(report.details.count == starts.count)
        for (line, start) in zip(report.details, starts) { #expect(line.hasPrefix(start), "\(line)") }
        await #expect(throws: (any Error).self) {
            try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder.appendingPathComponent("nowhere"))
        }
    }
}
