import ArgumentParser

/// The words of a command line that name the command. They are checked before parsing, because the parser takes an
/// unknown word for an argument, and then reports whatever comes next.
struct CommandWords {
    /// Options that may also come before the command, where other programs have theirs.
    private static let frontOptions = (withValue: ["--profile", "--transport"], flags: ["--json"])

    /// The command line with such options moved behind the command.
    ///
    /// - Throws: ``Failure`` `usage` for a command that does not exist. All other mistakes are left to the parser.
    static func arranged(_ arguments: [String]) throws(Failure) -> [String] {
        var rest = arguments[...]
        guard let front = takeFront(&rest) else { return arguments }
        if rest.isEmpty, !front.isEmpty {
            throw Failure(.usage, "the command is missing", hint: "`waxwing --help` lists the commands")
        }
        var path: [String] = []
        var command: any ParsableCommand.Type = WaxwingCommand.self
        while !command.configuration.subcommands.isEmpty, let word = rest.first, !word.hasPrefix("-") {
            if path.isEmpty, word == "help" {
                try checkHelp(rest.dropFirst())
                return arguments
            }
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
                throw unknown(path + [word])
            }
            command = next
            path.append(word)
            rest.removeFirst()
        }
        return path + front + rest
    }

    /// Whether to print results and failures as JSON. Words after `--` do not count.
    static func wantJSON(_ arguments: [String]) -> Bool { arguments.prefix { $0 != "--" }.contains("--json") }

    /// - Returns: nil if something comes before the command that only the parser knows.
    private static func takeFront(_ rest: inout ArraySlice<String>) -> [String]? {
        var front: [String] = []
        while let word = rest.first, word.hasPrefix("-") {
            let name = word.prefix { $0 != "=" }
            if frontOptions.flags.contains(word) {
                front.append(word)
                rest.removeFirst()
            } else if name != word, frontOptions.withValue.contains(String(name)) {
                front.append(word)
                rest.removeFirst()
            } else if frontOptions.withValue.contains(word), rest.count > 1 {
                front += rest.prefix(2)
                rest.removeFirst(2)
            } else {
                return nil
            }
        }
        return front
    }

    /// `waxwing help COMMAND` lists all commands if there is no such command, and does not say so.
    private static func checkHelp(_ words: ArraySlice<String>) throws(Failure) {
        var path: [String] = []
        var command: any ParsableCommand.Type = WaxwingCommand.self
        for word in words where !word.hasPrefix("-") && !command.configuration.subcommands.isEmpty {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
                throw unknown(path + [word])
            }
            command = next
            path.append(word)
        }
    }

    private static func unknown(_ path: [String]) -> Failure {
        let near = candidates(for: path).map { "`waxwing \($0)`" }.joined(separator: " or ")
        let all = path.count > 1 ? "`waxwing \(path.dropLast().joined(separator: " ")) --help`" : "`waxwing --help`"
        return Failure(
            .usage, "unknown command '\(path.joined(separator: " ").shortened(to: 60))'",
            hint: near.isEmpty ? "\(all) lists the commands" : "did you mean \(near)? \(all) lists the commands")
    }

    /// Commands that may have been meant: those of the same group with a similar name, otherwise any with exactly this
    /// name.
    private static func candidates(for path: [String]) -> [String] {
        guard let word = path.last, !word.isEmpty else { return [] }
        let all = commands(of: WaxwingCommand.self, [])
        let head = Array(path.dropLast())
        let similar = all.filter { command in
            guard command.count == path.count, command.starts(with: head), let name = command.last else { return false }
            return name.hasPrefix(word) || distance(word, name) <= (word.count > 3 ? 2 : 1)
        }
        let found = similar.isEmpty ? all.filter { $0.last == word } : similar
        return found.prefix(3).map { $0.joined(separator: " ") }
    }

    private static func commands(of command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
        command.configuration.subcommands.flatMap { sub in
            let name = path + [sub._commandName]
            return [name] + commands(of: sub, name)
        }
    }

    /// The number of letters to change, add or leave out (Levenshtein distance). Long words are no commands.
    private static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.unicodeScalars.prefix(32)), Array(b.unicodeScalars))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
                (diagonal, row[j + 1]) = (row[j + 1], next)
            }
        }
        return row[b.count]
    }
}
