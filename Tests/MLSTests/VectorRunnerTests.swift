import Foundation
import MLSOpenSSL
import MLSVectorRunner
import Testing

struct VectorRunnerTests {
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
