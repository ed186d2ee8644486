import FixtureTransport
import Foundation

/// A folder for recordings, deleted with its last user.
final class RecordingFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "waxwing-fixtures-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A new recording in it.
    func recorder(_ name: String = "it", withEntropy: Bool = true) throws -> Recorder {
        try Recorder(path: file(name), program: "tests", withEntropy: withEntropy) { fatalError("\($0)") }
    }

    func file(_ name: String = "it") -> String { "\(path)/\(name).jsonl" }

    func lines(_ name: String = "it") throws -> [String] {
        try String(contentsOfFile: file(name), encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
