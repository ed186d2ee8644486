import Testing

/// The rules of the house, checked on every file.
@Suite struct TidyTests {
    @Test(arguments: Rule.all.indices)
    func everyFileKeepsTheRule(index: Int) throws {
        let rule = Rule.all[index]
        let files = try rule.files()
        #expect(files.count > 100, "the sources are not where they are looked for")
        for file in files where rule.exceptions[file.path] == nil {
            for violation in rule.violations(file) {
                Issue.record("\(file.path):\(violation.line): \(violation.reason) (\(rule.name))")
            }
        }
    }

    @Test(arguments: Rule.all.indices)
    func everyExceptionIsStillNeeded(index: Int) throws {
        let rule = Rule.all[index]
        let files = try rule.files()
        for path in rule.exceptions.keys {
            let breaks = files.contains { $0.path == path && !rule.violations($0).isEmpty }
            #expect(breaks, "\(path) needs no exception (\(rule.name))")
        }
    }

    @Test func everyImportOfASingleFileIsStillNeeded() throws {
        let files = try SourceFile.all.get()
        for (path, imports) in Arrows.allowedInFile {
            let file = files.first { $0.path == path }
            #expect(imports == Set(file?.code.compactMap(Arrows.imported) ?? []).intersection(imports), "\(path)")
        }
    }
}
