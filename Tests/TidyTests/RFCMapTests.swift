import Foundation
import Testing

/// The page that maps the rules of RFC 9420 to code and tests, checked against both.
@Suite struct RFCMapTests {
    private struct Row {
        let line: Int
        let cells: [String]
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func rows() throws -> [Row] {
        let page = try String(contentsOf: root.appending(path: "Sources/MLS/RFC9420.md"), encoding: .utf8)
        return page.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            guard line.hasPrefix("| "), !line.hasPrefix("| § ") else { return nil }
            let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
            return Row(line: index + 1, cells: cells.map { $0.trimmingCharacters(in: .whitespaces) })
        }
    }

    @Test func everythingThatThePageNamesIsThere() throws {
        let rows = try Self.rows()
        #expect(rows.count > 80, "the page is not where it is looked for")
        for row in rows {
            try #require(row.cells.count == 4, "line \(row.line) has \(row.cells.count) cells")
            try check(row.cells[2], in: "Sources/MLS", line: row.line)
            try check(row.cells[3], in: "Tests/MLSTests", line: row.line)
        }
    }

    @Test func everyRuleIsKeptByAFunctionOrByTheApplication() throws {
        for row in try Self.rows() {
            let isTheApplications = row.cells[2].contains("*application*")
            #expect(isTheApplications || row.cells[2].contains("`"), "line \(row.line): kept by nobody")
            #expect(isTheApplications || !row.cells[3].isEmpty, "line \(row.line): no test")
        }
    }

    /// Every row of the tables of broken rules has a line on the page, or belongs to one.
    @Test func everyTableOfBrokenRulesIsOnThePage() throws {
        let page = try Self.rows().map(\.cells[3]).joined()
        let tables = try SourceFile.all.get().filter {
            $0.path.hasPrefix("Tests/MLSTests/Rules/") && $0.name.hasSuffix("Tests.swift")
        }
        #expect(!tables.isEmpty)
        for table in tables { #expect(page.contains("`Rules/\(table.name)`"), "\(table.name)") }
    }

    /// Names in backticks are files, and below them functions or tests; names in quotes are rows of the last file
    /// named.
    private func check(_ cell: String, in folder: String, line: Int) throws {
        var file: SourceFile?
        for name in names(in: cell, between: "`", and: "\"") {
            switch name {
            case .code(let name) where name.hasSuffix(".swift"):
                file = try SourceFile.all.get().first { $0.path == "\(folder)/\(name)" }
                #expect(file != nil, "line \(line): there is no \(folder)/\(name)")
            case .code(let name):
                guard let file else { continue }
                let declarations = name == "init" ? ["init("] : ["func \(name)(", "func \(name)<", "var \(name):"]
                let isThere = file.code.contains { code in declarations.contains(where: code.contains) }
                #expect(isThere, "line \(line): \(file.name) declares no \(name)")
            case .row(let name):
                guard let file else { continue }
                let isThere = file.lines.contains { $0.contains("\"\(name)\"") }
                #expect(isThere, "line \(line): \(file.name) has no row \"\(name)\"")
            }
        }
    }

    private enum Name {
        case code(String)
        case row(String)
    }

    private func names(in cell: String, between tick: Character, and quote: Character) -> [Name] {
        var names: [Name] = []
        var rest = cell[...]
        while let start = rest.firstIndex(where: { $0 == tick || $0 == quote }) {
            let mark = rest[start]
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: mark) else { break }
            names.append(mark == tick ? .code(String(rest[..<end])) : .row(String(rest[..<end])))
            rest = rest[rest.index(after: end)...]
        }
        return names
    }
}
