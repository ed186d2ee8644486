import Foundation
import WaxwingCore

let usage = """
    usage: bench-stores [--groups NUMBERS] [--messages NUMBER]

      --groups 1,100,10000   how many groups are in the store
      --messages 1000        change sets to time, each that of one message received

    """

/// What the command line asks for.
struct Options {
    var groups = [1, 100, 10_000]
    var messages = 1000

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Trouble(usage) }
            let numbers = value.split(separator: ",").compactMap { Int($0) }.filter { (1...1_000_000).contains($0) }
            guard let first = numbers.first else { throw Trouble(usage) }
            switch name {
            case "--groups": groups = numbers
            case "--messages": messages = first
            default: throw Trouble(usage)
            }
        }
    }
}

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    print(
        """
        A change set is that of one message received: 6 records of \(Sample.payload) bytes with their keys, in a group taken by chance.
        Medians of batches of \(Bench.batch), each beside the same number done by the floor. Times on the clock: they are mostly the disk's.
        The floor for change sets: bare SQLite, the same records in one transaction (WAL, synchronous=FULL); and one fsync of 4 KiB.

        """)
    for groups in options.groups {
        for kind in Kind.allCases {
            let bench = try Bench(kind, groups: groups)
            defer { bench.clear() }
            try bench.run(messages: options.messages)
        }
    }
} catch {
    FileHandle.standardError.write(Data("bench-stores: \(error)\n".utf8))
    exit(1)
}
