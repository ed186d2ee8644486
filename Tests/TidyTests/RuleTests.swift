import Testing

/// Each rule, against texts that break it and texts that only seem to.
@Suite struct RuleTests {
    private func check(
        _ rule: Rule, _ text: String, at path: String = "Sources/WaxwingCore/Sample.swift", breaksIt: Bool
    ) {
        let found = rule.violations(SourceFile(path: path, text: text))
        #expect(found.isEmpty != breaksIt, "\(rule.name): \(text)")
    }

    @Test(arguments: [
        ("Sources/MLS/Sample.swift", "import Foundation"),
        ("Sources/MLS/Sample.swift", "import COpenSSL"),
        ("Sources/MLS/Sample.swift", "import Glibc"),
        ("Sources/MLS/Sample.swift", "import func Glibc.explicit_bzero"),
        ("Sources/MLS/Secret.swift", "import Glibc"),
        ("Sources/ConclaveProtocol/Sample.swift", "import Foundation"),
        ("Sources/ConclaveProtocol/Sample.swift", "import MLS"),
        ("Sources/WaxwingCore/Sample.swift", "import Glibc"),
        ("Sources/WaxwingCore/Sample.swift", "import FoundationEssentials"),
        ("Sources/WaxwingCore/Sample.swift", "import WaxwingClient"),
        ("Sources/WaxwingCore/Sample.swift", "@testable import SQLiteStore"),
        ("Sources/WaxwingClient/Client.swift", "private import Glibc"),
        ("Sources/WaxwingClient/Client.swift", "import HTTPTransport"),
        ("Plugins/SQLiteStore/Sample.swift", "import HTTPTransport"),
        ("Plugins/SQLiteStore/Sample.swift", "import WaxwingClient"),
        ("Plugins/HTTPTransport/Sample.swift", "import SQLiteStore"),
        ("Sources/WaxwingServer/Sample.swift", "import MLS"),
        ("Sources/WaxwingServer/Sample.swift", "import struct MLS.KeyPackage"),
        ("Sources/WaxwingServer/Sample.swift", "import WaxwingCore"),
        ("Sources/WaxwingCLI/Commands/Sample.swift", "import SQLiteStore"),
        ("Sources/Newcomer/Sample.swift", "import MLS"),
    ])
    func anArrowThatLeadsUpIsFound(path: String, line: String) {
        check(.imports, "// A file.\n\(line)\n", at: path, breaksIt: true)
    }

    @Test(arguments: [
        ("Sources/MLS/Secret.swift", "import func Glibc.explicit_bzero"),
        ("Sources/WaxwingCore/Sample.swift", "public import MLS"),
        ("Sources/WaxwingCore/Sample.swift", "// import Foundation"),
        ("Sources/WaxwingCore/Sample.swift", "let text = \"\"\"\n    import Foundation\n    \"\"\""),
        ("Sources/Files/File.swift", "import Glibc"),
        ("Plugins/SQLiteStore/Sample.swift", "import class GRDB.Database"),
        ("Sources/Waxwing/Profile/Profile+Stores.swift", "import SQLiteStore"),
        ("Sources/WaxwingServer/Sample.swift", "import ConclaveProtocol"),
    ])
    func anArrowThatLeadsDownIsFine(path: String, text: String) {
        check(.imports, text, at: path, breaksIt: false)
    }

    @Test(arguments: [
        "let now = ContinuousClock.now", "func fetch() async {}", "Task { }", "let x = Int.random(in: 0..<4)",
        "for row in rows.shuffled() {}", "print(row)",
    ])
    func aCoreThatActsByItselfIsFound(text: String) {
        check(.quietCore, text, breaksIt: true)
        check(.quietCore, text, at: "Sources/MLS/Sample.swift", breaksIt: true)
        check(.quietCore, text, at: "Sources/WaxwingClient/Sample.swift", breaksIt: false)
    }

    @Test func wordsInCommentsAndStringsAreNoCode() {
        check(.quietCore, "// Whoever has to await a Task may print.\nlet printed = \"print\"", breaksIt: false)
        check(.traps, "// Nothing here is try! or fatalError(now).\nlet text = \"x!\\\"y! \\(z) w!\"", breaksIt: false)
        check(.traps, "let text = \"Now \\(x!.y) there\"", breaksIt: true)
        check(.traps, "/* a! /* b! */ c! */ let d = #\"e! \"f! \"#", breaksIt: false)
        check(.traps, "let text = \"\"\"\n    a! \"b!\"\n    \"\"\"\nlet c = d!", breaksIt: true)
    }

    @Test func aLongFileIsFound() {
        check(.length, String(repeating: "line\n", count: 400), breaksIt: false)
        check(.length, String(repeating: "line\n", count: 401), breaksIt: true)
    }

    @Test(arguments: [
        ("Tests/AgeTests/ToolTests.swift", "let process = Process()", true),
        ("Tests/MLSPeerTests/PeerTests.swift", "let peer = try PeerProcess(path)", true),
        ("Tests/AgeTests/SealTests.swift", "await #expect(processExitsWith: .success) { }", true),
        ("Tests/AgeTests/ToolProcessTests.swift", "let process = Process()", false),
        ("Tests/EndToEndTests/StoryTests.swift", "let process = Process()", false),
        ("Tests/MLSPeerTests/PeerProcess.swift", "let process = Process()", false),
        ("Tests/AgeTests/SealTests.swift", "// Process() is only spoken of.", false),
    ])
    func aTestThatStartsAProcessSaysSoByItsName(path: String, text: String, breaksIt: Bool) {
        check(.processTests, text, at: path, breaksIt: breaksIt)
    }

    @Test(arguments: [
        ("fatalError()", true), ("let x = try! f()", true), ("let x = y as! Int", true), ("let x = y!", true),
        ("let x = y[0]!.z", true), ("let x = f()!", true), ("var x: Int!", true), ("precondition(x > 0)", true),
        ("guard x else { preconditionFailure() }", true), ("assert(x)", true), ("if x != y {}", false),
        ("if !x, !(y) { }", false), ("let x = try? f()", false), ("let x = y as? Int", false),
        ("checkedPrecondition(x)", false),
    ])
    func aTrapIsFound(text: String, isTrap: Bool) {
        check(.traps, text, breaksIt: isTrap)
    }

    @Test(arguments: [("// TODO: think", true), ("// FIXME", true), ("let todo = 1", false)])
    func whatIsLeftForLaterIsFound(text: String, isLeft: Bool) {
        check(.leftovers, text, breaksIt: isLeft)
    }

    @Test(arguments: [
        ("let x = try? f()", true),
        ("if let x = try? f() { g(x) }", true),
        ("}\n\n\n    try? f()", true),
        ("// Nothing there counts as empty.\nlet x = try? f()", false),
        ("let x = try? f()  // nothing there counts as empty", false),
        ("guard let x = try? f() else { throw Trouble() }", false),
        ("guard a,\n    let x = try? f()\nelse { return nil }", false),
        ("guard a else { return }\nlet x = try? f()", true),
        ("try? await Task.sleep(for: .seconds(1))", false),
    ])
    func anErrorDroppedInSilenceIsFound(text: String, isSilent: Bool) {
        check(.silentTry, text, breaksIt: isSilent)
    }

    @Test(arguments: [
        ("public struct A {\n}", true), ("public func f() {\n}", true), ("    public static func f() {\n    }", true),
        ("public indirect enum A {\n}", true), ("/// An A.\npublic struct A {\n}", false),
        ("/// An A.\n@frozen\npublic struct A {\n}", false), ("struct A {\n}", false),
        ("public func hash(into hasher: inout Hasher) {\n}", false), ("public func f() -> Int { 1 }", false),
        ("let text = \"\"\"\n    public struct A\n    \"\"\"", false),
    ])
    func aPublicThingWithoutWordsIsFound(text: String, isMute: Bool) {
        check(.documentation, text, breaksIt: isMute)
        check(.documentation, text, at: "Sources/WaxwingCLI/Sample.swift", breaksIt: false)
    }
}
