import Age
import Foundation
import Testing

/// The distribution's `age`; nil if it is not installed.
enum RealTool {
    static let age: String? = ["/usr/bin/age", "/usr/local/bin/age"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
}

/// Files go back and forth between this library and the distribution's `age`.
@Suite(.enabled(if: RealTool.age != nil, "skipped: age is not installed (apt install age)"))
struct RealToolProcessTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "age-\(UUID().uuidString)").path
    private let entropy = SampleEntropy(3)

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test(arguments: [1, 1000, 65_536, 200_001], [false, true])
    func filesAreUnderstoodBothWays(_ length: Int, _ isArmored: Bool) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // It is temporary in any case.
        let plaintext = entropy.bytes(length)
        try run("-keygen", ["-o", "keys"])
        let keys = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/keys")))
        let identity = try #require(try AgeIdentity.parse(keys).first)

        let ours = try Sample.seal(plaintext, to: .recipients([identity.recipient]), isArmored: isArmored)
        try Data(ours).write(to: URL(fileURLWithPath: folder + "/ours"))
        try run("", ["--decrypt", "--identity", "keys", "--output", "opened", "ours"])
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/opened"))) == plaintext)

        try Data(plaintext).write(to: URL(fileURLWithPath: folder + "/plain"))
        try run(
            "",
            ["--recipient", identity.recipient.text] + (isArmored ? ["--armor"] : []) + ["--output", "theirs", "plain"])
        let theirs = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/theirs")))
        #expect(Sample.open(theirs, by: .identities([identity])).plaintext == plaintext)
        #expect(try Sample.read(theirs, by: .identities([identity])) == plaintext)
    }

    private func run(_ suffix: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(RealTool.age) + suffix)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "age\(suffix) \(arguments) failed")
    }
}
