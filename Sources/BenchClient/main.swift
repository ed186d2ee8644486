import Foundation

do {
    let bench = try Bench()
    defer { bench.clear() }
    try await bench.run()
} catch {
    FileHandle.standardError.write(Data("bench-client: \(error)\n".utf8))
    exit(1)
}
