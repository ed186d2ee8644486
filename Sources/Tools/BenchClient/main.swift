import Foundation

// 5,000 is the number that counts; a smaller one is for a quick look.
let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5_000

do {
    let bench = try Bench(messages: max(1, count))
    defer { bench.clear() }
    try await bench.run()
} catch {
    FileHandle.standardError.write(Data("bench-client: \(error)\n".utf8))
    exit(1)
}
