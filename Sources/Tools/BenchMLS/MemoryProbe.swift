import Foundation
import MLS
import MLSOpenSSL

/// Peak memory of a member of a large group, each figure in a process of its own.
enum MemoryProbe {
    enum Action: String, CaseIterable {
        /// The process, OpenSSL and the input, but no group.
        case nothing
        case restore
        case join
        /// Restores, commits without proposals and merges.
        case commit
    }

    /// Writes what the probes read, and runs one of each.
    static func run(_ shape: Shape, size: Int, suite: CipherSuite) throws -> [(action: Action, kilobytes: Int)] {
        let crypto = try OpenSSLProvider().suite(suite)
        let sample = try SampleGroup(shape, size: size, crypto: crypto, entropy: SystemEntropy())
        // A group that has just been joined gives all its records.
        var group = try Group.join(welcome: sample.welcome, bundles: [sample.bundle], crypto: crypto, now: nil).group
        var writer = TLSWriter()
        writer.writeOpaque(sample.welcome)
        writer.writeOpaque(sample.bundle.serialized)
        writer.writeOpaque(sample.right.signer.raw.unwipedCopy)
        writer.writeVector { writer in
            for case .put(let key, let value) in group.takeStateChanges() {
                writer.writeOpaque(key)
                writer.writeOpaque(value)
            }
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "bench-mls-\(getpid())")
        try Data(writer.bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // The system clears its folder too.
        return try Action.allCases.map { ($0, try child($0, file: file, suite: suite)) }
    }

    private static func child(_ action: Action, file: URL, suite: CipherSuite) throws -> Int {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--probe", file.path, action.rawValue, "\(suite.rawValue)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard process.terminationStatus == 0, let kilobytes = Int(text) else { throw Trouble("a probe fails") }
        return kilobytes
    }

    /// The child's side: performs the action, and prints the peak in kilobytes.
    static func act(_ name: String, file: String, suite: CipherSuite) throws {
        guard let action = Action(rawValue: name) else { throw Trouble("no such probe") }
        let crypto = try OpenSSLProvider(threads: 1).suite(suite)
        var reader = TLSReader(try Data(contentsOf: URL(filePath: file)))
        let welcome = try reader.readOpaque()
        let bundle = try KeyPackageBundle(serialized: try reader.readOpaque(), crypto: crypto)
        let signer = try crypto.signatureKey(raw: Secret(try reader.readOpaque()))
        var content = try reader.readSubReader()
        var records: [(key: [UInt8], value: [UInt8])] = []
        while !content.isAtEnd { records.append((try content.readOpaque(), try content.readOpaque())) }
        switch action {
        case .nothing: break
        case .restore: _ = try Group.restore(records, crypto: crypto)
        case .join: _ = try Group.join(welcome: welcome, bundles: [bundle], crypto: crypto, now: nil)
        case .commit:
            var group = try Group.restore(records, crypto: crypto)
            records = []
            let staged = try group.commit(
                [], withGroupInfo: false, signer: signer, now: nil, entropy: SystemEntropy())
            try group.merge(staged)
            _ = group.takeStateChanges()
        }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try value(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        print(line.filter(\.isNumber))
    }
}
