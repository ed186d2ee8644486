import Foundation

/// Export, check and import of a long history by the program `waxwing`, compared with the distribution's own tools on
/// the same bytes in the same run.
struct Bench {
    /// The memory, in bytes, by which the program may exceed what it takes to do almost nothing.
    private static let memoryMax = 64_000_000

    private let options: Options
    private let folder: String
    private let waxwing: String

    init(_ options: Options) throws {
        self.options = options
        waxwing =
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "waxwing").path
        folder = FileManager.default.temporaryDirectory.appending(path: "waxwing-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func clear() {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            FileHandle.standardError.write(Data("bench-archive: \(folder) is left behind: \(error)\n".utf8))
        }
    }

    func run() async throws {
        let making = try await Profiles.make(rows: options.rows, in: folder)
        print("\(options.rows) messages in a SQLite profile, made in \(making.rounded(to: 1)) s\n")
        let idle = try waxwing("whoami", profile: "sqlite").peak
        let recipient = try shell("age-keygen -o key 2>/dev/null && age-keygen -y key").output
        let sizes = try measureExport(recipient, idle)
        try measureVerify(sizes, idle)
        try measureImport(recipient, idle)
    }

    // MARK: What is measured

    /// Size of the archive's content, and of the archive, in bytes.
    private struct Sizes {
        var content: Int
        var file: Int
    }

    private func measureExport(_ recipient: String, _ idle: Int) throws -> Sizes {
        var peak = 0
        let export = try median {
            let run = try waxwing(
                "export", "--all", "--to", "a.age", "--recipient", recipient, "--force", profile: "sqlite")
            peak = max(peak, run.peak)
            return run
        }
        try shell("age -d -i key a.age | zstd -d -o payload.tar -q -f")
        // What export has written is on disk when it returns, so the pipeline's file has to be on disk, too.
        let pipeline = try median { try shell("zstd -3 -c -q payload.tar | age -r \(recipient) > b.age; sync b.age") }
        try shell("zstd -3 -q -f payload.tar -o payload.zst")
        let sizes = Sizes(content: try size("payload.tar"), file: try size("a.age"))
        let plain = try size("payload.zst")
        tell("waxwing export", export, sizes.content)
        tell("zstd -3 | age; sync", pipeline, sizes.content)
        let speed = ratio(pipeline.seconds, export.seconds)
        print("  export reads the store and writes the transcripts too, at \(speed) times the pipeline's speed")
        print(
            "  size: \(sizes.content) bytes in \(sizes.file), 1 : \(ratio(Double(sizes.content), Double(sizes.file)))"
                + "; plain zstd -3: \(plain), so the archive has \(ratio(Double(sizes.file), Double(plain))) times that"
        )
        try tellMemory("export", peak, idle)
        return sizes
    }

    private func measureVerify(_ sizes: Sizes, _ idle: Int) throws {
        var peak = 0
        let verify = try median {
            let run = try waxwing("archive", "verify", "a.age", "--identity", "key", profile: "sqlite")
            peak = max(peak, run.peak)
            return run
        }
        let pipeline = try median { try shell("age -d -i key a.age | zstd -d -q -c > /dev/null") }
        tell("waxwing archive verify", verify, sizes.content)
        tell("age -d | zstd -d", pipeline, sizes.content)
        let speed = ratio(pipeline.seconds, verify.seconds)
        print("  verify checks every hash and parses every line too, at \(speed) times the pipeline's speed")
        try tellMemory("verify", peak, idle)
    }

    private func measureImport(_ recipient: String, _ idle: Int) throws {
        // The profile kept as files has a key of its own, as after a new login.
        let signer = try member("fingerprint", of: waxwing("whoami", "--json", profile: "sqlite").output)
        let run = try waxwing("import", "a.age", "--identity", "key", "--signer", signer, profile: "files")
        print("import into a profile of files: \((Double(options.rows) / run.seconds).rounded(to: 0)) messages/s")
        try tellMemory("import", run.peak, idle)
        let export = try waxwing(
            "export", "--all", "--to", "c.age", "--recipient", recipient, "--force", profile: "files")
        print("export from files again: \(export.seconds.rounded(to: 2)) s")
        try tellMemory("export from files", export.peak, idle)
        let digests = try ["a.age", "c.age"].map { file in
            try member(
                "messagesDigest",
                of: waxwing("archive", "list", file, "--identity", "key", "--json", profile: "files").output)
        }
        let digest = digests[0]
        guard digests[1] == digest else { throw Trouble("SQLite → archive → files → archive: the messages differ") }
        print("SQLite → archive → files → archive: the same messages, SHA-256 \(digest.prefix(16))…")
    }

    /// The text of a member of a JSON object.
    private func member(_ name: String, of json: String) throws -> String {
        let words = json.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
        guard let place = words.firstIndex(of: name), place + 2 < words.count else {
            throw Trouble("no \(name) in \(json)")
        }
        return words[place + 2]
    }

    // MARK: Lines

    private func tell(_ what: String, _ run: Run, _ bytes: Int) {
        print(
            "\(what): \((Double(bytes) / run.seconds / 1e6).rounded(to: 1)) MB/s (\(run.seconds.rounded(to: 2)) s,"
                + " \(run.processor.rounded(to: 2)) s of processor time)")
    }

    private func tellMemory(_ what: String, _ peak: Int, _ idle: Int) throws {
        let above = peak - idle
        print("  peak memory of \(what): \(megabytes(peak)) MB, \(megabytes(above)) MB above the idle client\n")
        guard above < Self.memoryMax else { throw Trouble("\(what) takes more than 64 MB above the idle client") }
    }

    private func megabytes(_ bytes: Int) -> String { (Double(bytes) / 1e6).rounded(to: 1) }
    private func ratio(_ a: Double, _ b: Double) -> String { (a / b).rounded(to: 2) }

    /// The run with the median time.
    private func median(_ run: () throws -> Run) throws -> Run {
        var runs: [Run] = []
        for _ in 0..<options.runs { runs.append(try run()) }
        return runs.sorted { $0.seconds < $1.seconds }[runs.count / 2]
    }

    private func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.size] as? Int ?? 0
    }

    // MARK: Processes

    private func waxwing(_ arguments: String..., profile: String) throws -> Run {
        try Run(
            waxwing,
            arguments + (["archive"].contains(arguments[0]) && arguments[1] == "list" ? [] : ["--profile", profile]),
            in: folder)
    }

    @discardableResult private func shell(_ command: String) throws -> Run {
        try Run("/bin/bash", ["-o", "pipefail", "-c", command], in: folder)
    }
}

extension Double {
    func rounded(to digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
