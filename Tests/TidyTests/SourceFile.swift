import Foundation

/// A Swift file of the package, with its text as rules look at it.
struct SourceFile {
    /// Relative to the package, such as `Sources/MLS/Limits.swift`.
    let path: String
    let lines: [String]
    /// The same lines with comments and the contents of strings blanked out.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = CodeScanner.codeOnly(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    /// The folder of the file's target: `Sources/MLS`, or `Sources/Tools/Demo`.
    var target: String {
        path.split(separator: "/").prefix(path.hasPrefix("Sources/Tools/") ? 3 : 2).joined(separator: "/")
    }
    /// Written by a tool, which says so at the top.
    var isGenerated: Bool { lines.first?.contains("DO NOT EDIT") ?? false }
}

extension SourceFile {
    /// The package's own files, without generated ones; read once for all tests.
    static let all = Result {
        try ["Sources", "Plugins", "Tests"].flatMap { try files(under: $0) }.filter { !$0.isGenerated }
    }

    private static func files(under folder: String) throws -> [SourceFile] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOf: root.appending(path: "\(folder)/\(path)"), encoding: .utf8)
            return SourceFile(path: "\(folder)/\(path)", text: text)
        }
    }
}
