import Foundation

/// A real `waxwingd` that can go away and come back: same port, same data.
actor Server {
    enum Ordering: String, Sendable, CaseIterable { case strict, open }

    private let folder: String
    private let options: [String]
    private let ordering: Ordering
    private let scheme: String
    private let clock: FakeClock?
    private var process: ChildProcess?
    private(set) var port: UInt16 = 0

    /// Starts it, on a free port if none is named.
    init(
        folder: String, ordering: Ordering, options: [String] = [], clock: FakeClock? = nil, port: UInt16 = 0
    ) async throws {
        self.clock = clock
        self.port = port
        self.folder = folder
        self.ordering = ordering
        self.options = options
        scheme = options.contains("--tls-cert") ? "https" : "http"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await start()
    }

    /// Where it listens, also while it is away.
    var url: String { "\(scheme)://127.0.0.1:\(port)" }

    func start() async throws {
        let process = try ChildProcess(
            Programs.waxwingd,
            [
                "--data", folder + "/data", "--listen", "127.0.0.1:\(port)", "--ordering", ordering.rawValue,
                "--rate-limit", "off", "--max-bytes-per-minute", "off",
            ] + options,
            environment: Programs.environment.merging(clock?.environment ?? [:]) { $1 }, folder: folder)
        self.process = process
        let isReady = await eventually { process.output.hasSuffix("\n") || !process.isRunning }
        guard isReady, let port = UInt16(process.output.dropLast().split(separator: ":").last ?? "") else {
            throw ChildProcess.Failure(description: "waxwingd does not listen: \(process.output)\(process.errors)")
        }
        self.port = port
    }

    /// Stops it as an operator would.
    func stop() async throws { try await end(SIGTERM) }

    /// Pulls the plug.
    func kill() async throws { try await end(SIGKILL) }

    private func end(_ number: Int32) async throws {
        guard let process else { return }
        process.signal(number)
        let exit = try await process.exit(within: 20)
        self.process = nil
        guard exit.status == (number == SIGKILL ? -SIGKILL : 0) else {
            throw ChildProcess.Failure(description: "waxwingd ended with \(exit.status): \(process.errors)")
        }
    }
}

/// The two programs, which the build puts beside the tests.
enum Programs {
    static var waxwing: String { folder + "/waxwing" }
    static var waxwingd: String { folder + "/waxwingd" }
    /// A library for LD_PRELOAD: see ``DiskFault``.
    static var diskFaults: String { folder + "/libDiskFaults.so" }

    private static let folder: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
    }()

    /// Which plug-ins all clients use: the defaults if the outer environment names none.
    static let plugins = ProcessInfo.processInfo.environment.filter { name, _ in
        ["WAXWING_STORE", "WAXWING_TRANSPORT"].contains(name)
    }

    /// Nothing of the outer environment but the search path: no proxy, no profile, no language.
    static var environment: [String: String] {
        // A process that traps must end, and not wait for the backtracer's questions.
        [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "SWIFT_BACKTRACE": "enable=no",
            "HOME": "/nonexistent",
            // Hashes that cost nothing.
            "WAXWING_PASSWORD_COST": "4",
        ]
    }
}
