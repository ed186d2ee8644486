import Foundation
import MLS
import MLSOpenSSL

do {
    let options = try Options(CommandLine.arguments.dropFirst())
    if let probe = options.probe {
        try MemoryProbe.act(probe.action, file: probe.file, suite: probe.suite)
    } else {
        try bench(options)
    }
} catch {
    FileHandle.standardError.write(Data("bench-mls: \(error)\n".utf8))
    exit(1)
}

func bench(_ options: Options) throws {
    Report.printLegend()
    var report = Report()
    for suite in options.suites {
        let bare = try BarePrimitives(suite)
        let operations = Operations(
            crypto: try OpenSSLProvider(threads: 1).suite(suite),
            parallel: try OpenSSLProvider(threads: 2).suite(suite),
            entropy: SystemEntropy())
        let measure = { (rows: [Row], group: String, members: Int, report: inout Report) throws in
            for row in rows where options.only.isEmpty || row.name.contains(options.only) {
                report.add(
                    try Outcome(
                        row, suite: suite, group: group, members: members, bare: bare, budget: options.budget))
            }
        }
        Report.printHead("suite \(suite.rawValue)")
        try measure(operations.clientRows(), "", 1, &report)
        for shape in Shape.allCases {
            for size in options.sizes {
                Report.printHead("suite \(suite.rawValue), \(shape.rawValue), \(size) members")
                let sample = try SampleGroup(
                    shape, size: size, crypto: operations.crypto, entropy: operations.entropy)
                for rows in [
                    try operations.commitRows(sample), try operations.joinRows(sample),
                    try operations.messageRows(sample), try operations.storeRows(sample),
                ] {
                    try measure(rows, shape.rawValue, size, &report)
                }
            }
        }
    }
    print("\ncost of a message as the group grows, each against its floor")
    report.printGrowth()
    if options.memory {
        print("\npeak memory (VmHWM)")
        for suite in options.suites {
            for size in options.isQuick ? [1000] : [1000, 10_000] {
                for shape in Shape.allCases {
                    for (action, kilobytes) in try MemoryProbe.run(shape, size: size, suite: suite) {
                        report.add(
                            memory: shape.rawValue, suite: suite, members: size, action: action.rawValue,
                            kilobytes: kilobytes)
                    }
                }
            }
        }
    }
    try report.write(to: options.output)
    print("\nJSON: \(options.output)")
}
