/// A rule of the house that can be checked on the text of a file.
struct Rule: Sendable {
    struct Violation: Hashable {
        /// Counted from 1.
        let line: Int
        let reason: String
    }

    let name: String
    /// Files that may break the rule, each with its reason.
    var exceptions: [String: String] = [:]
    let violations: @Sendable (SourceFile) -> [Violation]
}

extension Rule {
    static let all: [Rule] = [
        .imports, .quietCore, .length, .traps, .leftovers, .silentTry, .documentation, .commands, .processTests,
    ]

    /// The files a rule is about.
    func files() throws -> [SourceFile] {
        let all = try SourceFile.all.get()
        switch name {
        case Rule.length.name, Rule.leftovers.name, Rule.processTests.name: return all
        default: return all.filter { !$0.path.hasPrefix("Tests/") }
        }
    }
}

/// Lines of code that begin or contain what a rule is about, with their numbers.
extension SourceFile {
    func codeLines(where holds: (String) -> Bool) -> [Int] {
        code.indices.filter { holds(code[$0]) }.map { $0 + 1 }
    }
}
