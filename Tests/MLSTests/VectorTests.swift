import Foundation
import MLSOpenSSL
import MLSVectorRunner
import Testing

/// The official test vectors: from `WAXWING_MLS_VECTORS`, or else from `../shared/mls-vectors` beside the package.
struct VectorTests {
    static let folder: URL? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["WAXWING_MLS_VECTORS"].map { URL(fileURLWithPath: $0) }
            ?? package.deletingLastPathComponent().appendingPathComponent("shared/mls-vectors")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    static let whyNot: Comment =
        "the official MLS vectors are missing: no such folder as WAXWING_MLS_VECTORS says, or ../shared/mls-vectors"

    @Test(
        .enabled(if: folder != nil, whyNot),
        arguments: VectorRunner.kinds.map { $0.name })
    func officialVectorsPass(name: String) async throws {
        let folder = try #require(Self.folder)
        let kind = try #require(VectorRunner.kinds.first { $0.name == name })
        let report = await VectorRunner(provider: OpenSSLProvider()).run(kind, folder: folder)
        #expect(report.failed == 0, "\(report.details.joined(separator: "\n"))")
        #expect(report.skipped == 0, "\(report.details.joined(separator: "\n"))")
        #expect(report.passed > 0)
    }
}
