/// The arrows of the house: executables → Waxwing → WaxwingClient, plug-ins → WaxwingCore → MLS, ConclaveProtocol;
/// MLSOpenSSL → MLS. The server reads MLS messages through MLSReading, which is no part of the engine.
enum Arrows {
    /// What a target's files may import. Everything else is forbidden.
    static let allowed: [String: Set<String>] = [
        "Sources/Machine": ["CProcess", "Dispatch", "Files", "Glibc", "Synchronization"],
        "Sources/OpenSSLPrimitives": ["COpenSSL"],
        "Sources/Files": ["SystemPackage", "Glibc"],
        "Sources/MLS": [],
        "Sources/MLSOpenSSL": ["MLS", "COpenSSL", "Dispatch", "Synchronization", "Machine"],
        "Sources/MLSReading": [],
        "Sources/Tools/MLSFuzz": ["MLS", "Synchronization"],
        "Sources/Tools/MLSFuzzer": ["MLS", "MLSFuzz", "MLSVectorRunner", "Foundation", "Glibc", "Synchronization"],
        "Sources/ConclaveProtocol": ["SwiftProtobuf", "FoundationEssentials"],
        "Sources/WaxwingCore": ["MLS", "ConclaveProtocol"],
        "Sources/WaxwingClient": [
            "Files", "WaxwingCore", "MLS", "ConclaveProtocol", "Dispatch", "Synchronization", "Machine",
        ],
        // The library that apps embed: it chooses implementations.
        "Sources/Waxwing": [
            "Files",
            "Age", "Archive", "WaxwingClient", "WaxwingCore", "MLS", "MLSOpenSSL", "ConclaveProtocol", "HTTPTransport",
            "FoundationEssentials", "Synchronization", "Machine",
        ],
        "Plugins/SQLiteStore": ["Files", "WaxwingCore", "GRDB", "GRDBSQLite", "Synchronization", "Machine"],
        "Plugins/FileStore": ["Files", "WaxwingCore", "OpenSSLPrimitives", "Synchronization"],
        "Plugins/FixtureTransport": [
            "Files",
            "WaxwingCore", "MLS", "ConclaveProtocol", "OpenSSLPrimitives", "FoundationEssentials", "Synchronization",
        ],
        "Plugins/HTTPTransport": ["WaxwingCore", "ConclaveProtocol", "CCurl", "Synchronization", "Machine"],
        "Sources/Tools/StoreConformance": ["WaxwingCore", "CFaults", "Foundation"],
        "Sources/Tools/TransportConformance": [
            "WaxwingCore", "ConclaveProtocol", "SwiftProtobuf", "Foundation", "Synchronization",
        ],
        "Sources/WaxwingServer": [
            "Files",
            "ConclaveProtocol", "OpenSSLPrimitives", "GRDB", "GRDBSQLite", "MLSReading", "SwiftProtobuf", "HTTPTypes",
            "Hummingbird",
            "HummingbirdCore", "HummingbirdHTTP2", "HummingbirdTLS", "Logging", "Metrics", "NIOCore", "NIOHTTPTypes",
            "NIOSSL", "NIOTLS", "ServiceLifecycle", "Synchronization", "UnixSignals", "Dispatch", "Foundation",
            "Machine",
        ],
        // Executables and what belongs to them.
        "Sources/WaxwingCLI": [
            "Files",
            "Waxwing", "WaxwingClient", "WaxwingCore", "Archive", "Age", "MLS", "ConclaveProtocol", "ArgumentParser",
            "Synchronization", "Dispatch", "FoundationEssentials", "Machine",
        ],
        "Sources/Age": ["Files", "COpenSSL", "OpenSSLPrimitives", "Synchronization"],
        "Sources/Archive": [
            "Files",
            "Age", "ConclaveProtocol", "OpenSSLPrimitives", "CZstd", "Dispatch", "FoundationEssentials",
            "Synchronization", "WaxwingCore", "Machine",
        ],
        "Sources/WaxwingDaemon": [
            "WaxwingServer", "ArgumentParser", "Logging", "Metrics", "Foundation", "Machine",
        ],
        "Sources/Tools/MLSVectorRunner": ["MLS", "MLSOpenSSL", "Foundation"],
        "Sources/Tools/MLSOwnVectors": ["MLS", "MLSOpenSSL", "Foundation", "Synchronization"],
        "Sources/Tools/MLSVectors": ["MLSVectorRunner", "MLSOpenSSL", "Foundation"],
        "Sources/Tools/MLSPeer": ["MLS"],
        "Sources/Tools/MLSPeerTool": ["MLSPeer", "MLSOpenSSL", "Glibc"],
        "Sources/Tools/BenchMLS": ["MLS", "MLSOpenSSL", "COpenSSL", "Foundation"],
        "Sources/Tools/Demo": ["Dispatch", "Foundation", "Synchronization"],
        "Sources/Tools/BenchStores": ["WaxwingCore", "SQLiteStore", "FileStore", "GRDBSQLite", "Foundation"],
        "Sources/Tools/BenchArchive": [
            "WaxwingClient", "WaxwingCore", "ConclaveProtocol", "SQLiteStore", "FileStore", "HTTPTransport",
            "MLSOpenSSL", "Foundation",
        ],
        "Sources/Tools/BenchClient": [
            "WaxwingClient", "WaxwingCore", "ConclaveProtocol", "SQLiteStore", "HTTPTransport", "MLSOpenSSL", "MLS",
            "Foundation", "GRDBSQLite",
        ],
    ]

    /// What single files may import besides.
    static let allowedInFile: [String: Set<String>] = [
        // One function, to wipe secrets in a way no compiler takes out.
        "Sources/MLS/Secret.swift": ["func Glibc.explicit_bzero"],
        "Sources/ConclaveProtocol/SessionToken.swift": ["func Glibc.explicit_bzero"],
        "Plugins/HTTPTransport/Transfer.swift": ["func Glibc.explicit_bzero", "func Glibc.strlen"],
        // Where every byte of an archive passes through.
        "Sources/Archive/Records/LineReader.swift": ["func Glibc.memchr"],
        "Sources/Archive/Records/RowFacts.swift": ["func Glibc.memcmp"],
        // The one place that chooses stores.
        "Sources/Waxwing/Profile/Profile+Stores.swift": ["SQLiteStore", "FileStore"],
        // Recordings are a matter of the command line.
        "Sources/WaxwingCLI/Fixtures/Surroundings+Recording.swift": ["FixtureTransport"],
        "Sources/WaxwingCLI/Fixtures/RecordCommand.swift": ["FixtureTransport"],
        "Sources/WaxwingCLI/Fixtures/Rehearsal.swift": ["FixtureTransport"],
        "Sources/WaxwingCLI/Fixtures/ReplayCommand.swift": ["FixtureTransport", "MLSOpenSSL"],
        "Sources/WaxwingCLI/Fixtures/ReplayRules.swift": ["FixtureTransport"],
        "Sources/WaxwingCLI/Fixtures/FixtureCommand.swift": ["FixtureTransport"],
        // Signatures under archives.
        "Sources/WaxwingCLI/Archive/ArchiveKeys.swift": ["MLSOpenSSL"],
        // A hash of what is stored.
        "Sources/WaxwingCLI/Commands/StoreShow.swift": ["MLSOpenSSL"],
    ]

    /// The import of a line of code: `Glibc`, or `func Glibc.explicit_bzero`.
    static func imported(by line: String) -> String? {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let place = words.firstIndex(of: "import"), place + 1 < words.count else { return nil }
        let modifiers: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
        guard words[..<place].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
        return words[(place + 1)...].joined(separator: " ").trimmingSemicolon
    }
}

extension String {
    fileprivate var trimmingSemicolon: String { hasSuffix(";") ? String(dropLast()) : self }
}

extension Rule {
    static let imports = Rule(name: "imports follow the arrows") { file in
        file.code.enumerated().compactMap { index, line -> Violation? in
            guard let import_ = Arrows.imported(by: line) else { return nil }
            guard let allowed = Arrows.allowed[file.target] else {
                return Violation(line: index + 1, reason: "\(file.target) has no row among the arrows")
            }
            if Arrows.allowedInFile[file.path]?.contains(import_) ?? false { return nil }
            // `import class GRDB.Database` needs what `import GRDB` needs.
            let module = import_.split(separator: " ").last?.split(separator: ".").first.map(String.init) ?? import_
            return allowed.contains(module)
                ? nil : Violation(line: index + 1, reason: "\(file.target) must not import \(import_)")
        }
    }

    /// The engine and the core get entropy and time as parameters and do nothing by themselves.
    static let quietCore = Rule(
        name: "the core has no clock, no randomness and no tasks",
        exceptions: ["Sources/WaxwingCore/Ports/Transport.swift": "the port says what others do"]
    ) { file in
        guard ["Sources/MLS", "Sources/WaxwingCore"].contains(file.target) else { return [] }
        let forbidden: Set<Substring> = [
            "async", "await", "Task", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator",
            "randomElement", "shuffled", "shuffle", "print", "nonisolated",
        ]
        return file.code.enumerated().flatMap { index, line in
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
            let found = words.filter(forbidden.contains) + (line.contains(".random(") ? [".random("] : [])
            return found.map { Violation(line: index + 1, reason: "\($0) in \(file.target)") }
        }
    }
}
