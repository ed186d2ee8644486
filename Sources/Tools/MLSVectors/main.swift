import Foundation
import MLSOpenSSL
import MLSVectorRunner

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: mls-vectors DIR\n".utf8))
    exit(2)
}

do {
    let folder = URL(fileURLWithPath: CommandLine.arguments[1], isDirectory: true)
    let report = try await VectorRunner(provider: OpenSSLProvider()).run(folder: folder)
    report.details.forEach { print($0) }
    print(report.summary)
    // A case that no one has checked has not passed.
    exit(report.failed == 0 && report.skipped == 0 ? 0 : 1)
} catch {
    FileHandle.standardError.write(Data("mls-vectors: \(error.localizedDescription)\n".utf8))
    exit(2)
}
