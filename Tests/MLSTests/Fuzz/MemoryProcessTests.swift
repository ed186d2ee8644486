import Foundation
import MLS
import Testing

/// Lengths and counts cost the reader no more than the sender has paid for in bytes.
struct MemoryProcessTests {
    /// In a process of its own, since its peak memory is what is measured.
    @Test func noInputTakesMemoryThatItDidNotPayFor() async {
        await #expect(processExitsWith: .success) {
            for bomb in Bomb.all {
                let before = try Memory.now()
                try Memory.forgetPeak()
                #expect(throws: MLSError.self, "\(bomb.name)") { try bomb.read() }
                let taken = try Memory.peak() - before
                // The leanest element takes one byte on the wire and some words in memory; arrays double as they grow.
                let paid = 32 * bomb.size + 8 << 20
                #expect(taken < paid, "\(bomb.name): \(taken) bytes for \(bomb.size)")
            }
        }
    }
}

/// An input that claims to be much more than it is, and is refused in the end.
private struct Bomb: Sendable {
    let name: String
    private let bytes: [UInt8]
    private let decode: @Sendable ([UInt8]) throws -> Void

    private init<T: TLSDecodable & SendableMetatype>(_ name: String, _ bytes: [UInt8], as _: T.Type) {
        self.name = name
        self.bytes = bytes
        decode = { _ = try T(decoding: $0) }
    }

    var size: Int { bytes.count }
    func read() throws { try decode(bytes) }

    private static let many = 1 << 20

    private static func vector(_ element: [UInt8], count: Int, behind header: [UInt8] = []) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeRaw(header)
        writer.writeVector { writer in for _ in 0..<count { writer.writeRaw(element) } }
        return writer.bytes
    }

    /// Each lacks what should follow, so all of it is read for nothing.
    static let all: [Bomb] = [
        Bomb("a vector that is only announced", [0x83, 0xFF, 0xFF, 0xFF], as: RatchetTree.self),
        Bomb("announcements within announcements", Array(repeating: 0x80, count: 1 << 16), as: MLSMessage.self),
        Bomb("a tree of blanks", vector([0], count: Int(Limits.leaves) * 2 - 1), as: RatchetTree.self),
        Bomb("a tree of more blanks than a tree has", vector([0], count: many), as: RatchetTree.self),
        Bomb("a Welcome for nobody", vector([0, 0, 0], count: many / 4, behind: [0, 1]), as: Welcome.self),
        Bomb("a chain of empty certificates", vector([0], count: many, behind: [0, 2]) + [0], as: Credential.self),
        Bomb("capabilities of one version", vector([0, 1], count: many), as: Capabilities.self),
        Bomb("a commit of references", vector([2, 0], count: many), as: Commit.self),
        Bomb("extensions of nothing", vector([0, 1, 0], count: many / 4), as: ReInit.self),
        Bomb("secrets for nobody", vector([0, 0], count: many / 2, behind: [0]) + [0], as: UpdatePathNode.self),
    ]
}

/// What Linux says about the memory of this process, in bytes.
private enum Memory {
    static func now() throws -> Int { try read("VmRSS") }
    static func peak() throws -> Int { try read("VmHWM") }

    static func forgetPeak() throws {
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    private static func read(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
        return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1])) * 1024
    }
}
