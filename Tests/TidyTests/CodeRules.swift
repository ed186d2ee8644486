extension Rule {
    static let length = Rule(name: "no file is longer than 400 lines") { file in
        // What follows the last line end is not a line.
        let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        return count > 400 ? [Violation(line: count, reason: "\(count) lines")] : []
    }

    static let traps = Rule(
        name: "nothing traps",
        exceptions: [
            "Sources/MLS/Codec/TLSWriter.swift": "a length of ours beyond what any input can reach",
            "Sources/MLSOpenSSL/HashFunction.swift": "OpenSSL out of memory",
            "Sources/MLSOpenSSL/SystemEntropy.swift": "no randomness to be had: going on would be worse",
            "Sources/OpenSSLPrimitives/SHA256.swift": "OpenSSL out of memory",
            "Sources/OpenSSLPrimitives/KeyedHashes.swift": "a length the caller has just computed",
            "Sources/MLSOpenSSL/AEAD.swift": "a length the caller has just computed",
        ]
    ) { file in
        let calls = ["fatalError(", "preconditionFailure(", "precondition(", "assert(", "assertionFailure("]
        return file.code.enumerated().flatMap { index, line in
            let found = calls.filter { line.containsCall($0) } + line.forcedUnwraps
            return found.map { Violation(line: index + 1, reason: $0) }
        }
    }

    static let leftovers = Rule(
        name: "nothing is left for later",
        exceptions: [
            "Tests/TidyTests/CodeRules.swift": "names the words", "Tests/TidyTests/RuleTests.swift": "shows them",
        ]
    ) { file in
        file.lines.enumerated().flatMap { index, line in
            ["TODO", "FIXME", "HACK"].filter(line.contains).map { Violation(line: index + 1, reason: $0) }
        }
    }

    static let silentTry = Rule(name: "no error is dropped without a word") { file in
        file.codeLines { $0.containsCall("try?") }.filter { number in
            let index = number - 1
            // Only cancelling ends a sleep early.
            if file.code[index].contains("try? await Task.sleep") { return false }
            let around = file.lines[max(0, index - 2)...index]
            if around.contains(where: { $0.contains("//") }) { return false }
            // A guard says in its else what becomes of it.
            var start = index
            while start > 0, file.code[start - 1].trimmed.hasSuffix(",") { start -= 1 }
            return !file.code[start].trimmed.hasPrefix("guard ")
        }.map { Violation(line: $0, reason: "try? without a reason") }
    }

    static let commands = Rule(
        name: "only the command line names its commands",
        exceptions: [
            "Sources/WaxwingCore/Records/Trouble+Stored.swift": "a sentence that version 0.1 stored",
            "Sources/Archive/Manifest.swift": "goes into archives, for whoever finds one",
        ]
    ) { file in
        let speaks = ["Sources/WaxwingCLI/", "Sources/WaxwingDaemon/", "Sources/Tools/"]
        guard !speaks.contains(where: file.path.hasPrefix) else { return [] }
        return file.lines.indices.filter { file.lines[$0].contains("`waxwing ") }
            .map { Violation(line: $0 + 1, reason: file.lines[$0].trimmed) }
    }

    static let documentation = Rule(name: "public types and functions say what they are") { file in
        // All targets that products are made of, except the programs.
        let programs = ["Sources/WaxwingCLI", "Sources/WaxwingDaemon"]
        let isKit = file.target.hasSuffix("Conformance")
        guard !file.path.hasPrefix("Tests/"), !programs.contains(file.target),
            isKit || !file.path.hasPrefix("Sources/Tools/")
        else { return [] }
        return file.code.indices.filter { file.declaresPublicly($0) && !file.isDocumented($0) }
            .map { Violation(line: $0 + 1, reason: file.lines[$0].trimmed) }
    }

    /// `make test-fast` leaves them out by their names.
    static let processTests = Rule(name: "tests that start processes are named ProcessTests") { file in
        guard file.path.hasPrefix("Tests/"), !file.path.hasPrefix("Tests/EndToEndTests/"),
            file.name.hasSuffix("Tests.swift"), !file.name.hasSuffix("ProcessTests.swift")
        else { return [] }
        return file.codeLines { line in
            ["Process(", "processExitsWith", "posix_spawn"].contains(where: line.contains)
        }.map { Violation(line: $0, reason: "starts a process") }
    }
}

extension SourceFile {
    /// What the ports ask of those who implement them: their declarations say what each does.
    private static let asked = [
        "func revision()", "func value(_ table", "func page(", "func forEach(", "func commit(_ changes",
        "func send(_ request", "func events(token", "func sending(", "func rest(milliseconds", "func goOn()",
        "func askToStop(", "func read(at ", "func bytes(_ count",
    ]

    private var isPlugin: Bool {
        path.hasPrefix("Plugins/") || target == "Sources/Age" || target == "Sources/MLSOpenSSL"
    }

    /// Whether the line begins a public type or function. What another module's protocol requires needs no words, and
    /// neither does what is said in full on one line.
    fileprivate func declaresPublicly(_ index: Int) -> Bool {
        let words = code[index].split(whereSeparator: \.isWhitespace)
        guard words.first == "public" else { return false }
        let modifiers: Set<Substring> = ["static", "mutating", "final", "nonisolated", "indirect", "consuming"]
        guard let keyword = words.dropFirst().first(where: { !modifiers.contains($0) }) else { return false }
        switch keyword {
        case "struct", "enum", "class", "actor", "protocol": return true
        case "func":
            let known =
                ["func encode(to ", "func hash(into ", "func == ", "func < "] + (isPlugin ? Self.asked : [])
            return !known.contains(where: code[index].contains) && !code[index].trimmed.hasSuffix("}")
        default: return false
        }
    }

    fileprivate func isDocumented(_ index: Int) -> Bool {
        var above = index - 1
        while above >= 0, lines[above].trimmed.hasPrefix("@") { above -= 1 }
        return above >= 0 && lines[above].trimmed.hasPrefix("///")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Whether a function or keyword is there by its plain name, not as the end of a longer one.
    fileprivate func containsCall(_ call: String) -> Bool {
        ranges(of: call).contains { range in
            guard range.lowerBound > startIndex else { return true }
            let before = self[index(before: range.lowerBound)]
            return !(before.isLetter || before.isNumber || before == "_" || before == ".")
        }
    }

    /// `try!`, `as!`, and exclamation marks right after a value or a type.
    fileprivate var forcedUnwraps: [String] {
        indices.filter { self[$0] == "!" }.compactMap { place in
            guard place > startIndex, index(after: place) == endIndex || self[index(after: place)] != "=" else {
                return nil
            }
            let before = self[index(before: place)]
            guard before.isLetter || before.isNumber || "_)]}>\"".contains(before) else { return nil }
            let word = String(self[..<place].reversed().prefix { $0.isLetter }.reversed())
            return word == "try" || word == "as" ? word + "!" : "an unwrap by force"
        }
    }
}
