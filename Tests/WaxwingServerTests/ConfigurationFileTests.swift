import Foundation
import Testing

@testable import WaxwingDaemon

/// Options in a file.
@Suite struct ConfigurationFileTests {
    private func check(_ text: String, _ expected: [String: TOML.Value]) throws {
        let entries = try TOML.entries(of: text)
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }) == expected)
    }

    @Test func whatTOMLSaysIsRead() throws {
        try check("", [:])
        try check("# nothing\n\n  \t\r\n", [:])
        try check(
            "a = 1\nb = \"x\"# y\r\nc=true\nd = 'C:\\new'",
            [
                "a": .number(1), "b": .text("x"), "c": .truth(true), "d": .text("C:\\new"),
            ])
        try check("a = \"tab\\t \\\"q\\\" \\\\ \\u00e9 \\U0001F426\"", ["a": .text("tab\t \"q\" \\ é 🐦")])
        try check("n = [1_000, -2, +3, 0]\n", ["n": .list([.number(1000), .number(-2), .number(3), .number(0)])])
        try check("l = [\n  'a', # one\n  'b',\n]\n", ["l": .list([.text("a"), .text("b")])])
        try check("l = []", ["l": .list([])])
    }

    @Test(arguments: [
        ("a", 1), ("a =", 1), ("= 1", 1), ("a = 1 b = 2", 1), ("a = 1\na = 2", 2), ("[table]", 1), ("a.b = 1", 1),
        ("a = 01", 1), ("a = 1.5", 1), ("a = 1__0", 1), ("a = 2026-01-01", 1), ("a = yes", 1), ("a = \"x", 1),
        ("\na = \"x\n\"", 2), ("a = 'x\u{1}'", 1), ("a = \"\\x\"", 1), ("a = \"\\ud800\"", 1), ("a = [1", 1),
        ("a = [1 2]", 1), ("a = [[1]]", 1), ("a = \"\"\"x\"\"\"", 1), ("a = 9223372036854775808", 1), ("# \u{7}", 1),
        ("a b = 1", 1), ("a = [,]", 1), ("\"a\" = 1", 1),
    ])
    func whateverElseIsRefused(text: String, line: Int) {
        do {
            let entries = try TOML.entries(of: text)
            Issue.record("\(text): \(entries)")
        } catch {
            #expect(error.line == line, "\(text): \(error.reason)")
        }
    }

    @Test func theFileComesBeforeTheCommandLine() async throws {
        try await withDirectory { directory in
            let file = directory + "/waxwingd.toml"
            try """
            data = "/srv"
            access-log = true
            max-groups = 7
            trusted-proxy = ["10.0.0.1", "10.0.0.2"]
            """.write(toFile: file, atomically: true, encoding: .utf8)
            let words: Set = ["serve", "admin"]
            func expand(_ arguments: String...) throws -> [String] {
                try ConfigurationFile.expand(arguments, subcommands: words)
            }
            let all = [
                "--data=/srv", "--access-log", "--max-groups=7", "--trusted-proxy=10.0.0.1",
                "--trusted-proxy=10.0.0.2",
            ]
            #expect(try expand("--data", "x") == ["--data", "x"])
            #expect(try expand("--config", file, "--max-groups", "9") == all + ["--max-groups", "9"])
            #expect(try expand("serve", "--config=\(file)") == ["serve"] + all)
            #expect(try expand("admin", "user", "list", "--config", file) == ["admin", "user", "list", "--data=/srv"])
            let serve = try Serve.parse(expand("--config", file, "--max-groups", "9"))
            #expect(serve.bounds.maxGroups.limit == 9 && serve.data == "/srv" && serve.accessLog)
            #expect(serve.bounds.trustedProxy.count == 2)
        }
    }

    @Test(arguments: [
        ("off", nil), ("1", 1), ("3KiB", 3 << 10), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("0", -1), ("-1", -1),
        ("1TB", -1), ("", -1), ("MiB", -1), ("1.5MiB", -1), ("9223372036854775807", -1),
    ])
    func aLimitHasItsUnit(text: String, value: Int64?) {
        let parsed = LimitArgument(argument: text)
        if value == -1 { #expect(parsed == nil) } else { #expect(parsed != nil && parsed?.limit == value) }
    }
}
