import Foundation
import MLS
import MLSOpenSSL
import MLSVectorRunner
import Testing

@testable import own_vectors

/// The vectors in `fixtures/mls`, and the generator that wrote them.
struct OwnVectorTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("fixtures/mls")
    private static let names =
        ["tree-operations", "psk_secret"] + Scenario.all.map { "passive-client-" + $0.name }

    @Test(arguments: names)
    func ownVectorsPass(name: String) async throws {
        let kind = try #require(VectorRunner.kind(ofFile: name))
        let report = await VectorRunner(provider: OpenSSLProvider()).run(kind, file: name, folder: Self.folder)
        #expect(report.failed == 0 && report.skipped == 0, "\(report.details.joined(separator: "\n"))")
        #expect(report.passed >= CipherSuite.allCases.count)
    }

    @Test func theFolderHoldsNothingElse() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files) == Set(Self.names.map { $0 + ".json" } + ["README.md"]))
    }

    /// Only suites with deterministic signatures can come out the same.
    @Test(arguments: [1, 3, 4, 6] as [UInt16])
    func theGeneratorRepeatsItself(number: UInt16) throws {
        let suite = try #require(CipherSuite(rawValue: number))
        for file in try OwnVectors.files(for: [suite], provider: OpenSSLProvider()) {
            let text = try String(
                contentsOf: Self.folder.appendingPathComponent(file.name + ".json"), encoding: .utf8)
            let lines = Set(text.split(separator: "\n").map { $0.hasSuffix(",") ? $0.dropLast() : $0 })
            #expect(!file.cases.isEmpty)
            for line in file.cases {
                #expect(lines.contains(line[...]), "\(file.name) has changed for suite \(number)")
            }
        }
    }

    /// A check that let everything through would pass, too.
    @Test func changedVectorsFail() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // It is temporary in any case.
        let suite = CipherSuite.x25519_aes128gcm_sha256_ed25519
        for file in try OwnVectors.files(for: [suite], provider: OpenSSLProvider()) {
            let field =
                switch file.name {
                case "tree-operations": "tree_hash_after"
                case "psk_secret": "psk_secret"
                default: "epoch_authenticator"
                }
            // The last one in each case: that of a successor, if there is one.
            let changed = file.cases.map { line in
                let start = "\"\(field)\":\""
                guard let place = line.range(of: start, options: .backwards) else { return line }
                let digit = line[place.upperBound]
                return line.replacingCharacters(
                    in: place.upperBound..<line.index(after: place.upperBound), with: digit == "0" ? "1" : "0")
            }
            try Data(VectorFile(name: file.name, cases: changed).text.utf8).write(
                to: folder.appendingPathComponent(file.name + ".json"))
        }
        let report = try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder)
        #expect(report.passed == 0 && report.skipped == 0)
        #expect(report.failed == 7 + 6 + Scenario.all.count)
    }
}
