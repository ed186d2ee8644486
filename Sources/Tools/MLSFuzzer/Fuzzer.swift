import Foundation
import MLS
import MLSFuzz
import MLSVectorRunner

/// `mls-fuzz DOOR [--corpus FOLDER] [--vectors FOLDER]... [libFuzzer's own options]`
///
/// Tries one door of the engine, led by coverage, until it is stopped. Seeds are written into the corpus first.
/// libFuzzer leaves an input that breaks the engine in a file; `mls-fuzz DOOR FILE` tries that file again.
@main
struct Fuzzer {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard let door = arguments.first.flatMap(FuzzDoor.init) else {
            print("usage: mls-fuzz \(FuzzDoor.allCases.map(\.rawValue).joined(separator: "|")) [options]")
            exit(2)
        }
        arguments.removeFirst()
        let corpus = take("--corpus", from: &arguments)
        var vectors: [URL] = []
        while let folder = take("--vectors", from: &arguments) { vectors.append(URL(fileURLWithPath: folder)) }

        let target = try FuzzTarget()
        let mutator = try Mutator(door: door, target: target, foreign: VectorMessages.read(folders: vectors))
        if let corpus {
            try write(mutator.seeds, to: URL(fileURLWithPath: corpus))
            arguments.append(corpus)
        }
        CoverageLed.run(door, target: target, mutator: mutator, arguments: arguments)
    }

    private static func take(_ option: String, from arguments: inout [String]) -> String? {
        guard let place = arguments.firstIndex(of: option), place + 1 < arguments.count else { return nil }
        defer { arguments.removeSubrange(place...place + 1) }
        return arguments[place + 1]
    }

    private static func write(_ seeds: [[UInt8]], to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (number, seed) in seeds.enumerated() {
            try Data(seed).write(to: folder.appendingPathComponent("seed-\(number)"))
        }
    }
}
