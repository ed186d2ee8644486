import Foundation

let usage = """
    usage: bench-archive [--rows NUMBER] [--runs NUMBER]

      --rows 300000   messages in the history; 1000000 is the size that has to fit in constant memory
      --runs 3        how often each thing is timed; the median counts

    """

/// What the command line asks for.
struct Options {
    var rows = 300_000
    var runs = 3

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst().flatMap({ Int($0) }), (1...10_000_000).contains(value) else {
                throw Trouble(usage)
            }
            switch name {
            case "--rows": rows = value
            case "--runs": runs = value
            default: throw Trouble(usage)
            }
        }
    }
}

do {
    let bench = try Bench(try Options(Array(CommandLine.arguments.dropFirst())))
    defer { bench.clear() }
    try await bench.run()
} catch {
    FileHandle.standardError.write(Data("bench-archive: \(error)\n".utf8))
    exit(1)
}
