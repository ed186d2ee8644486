// swift-tools-version: 6.2
import PackageDescription

/// Every target of our own is built in Swift 6 language mode, and a warning is an error.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// `make fuzz` builds the engine so that it counts what each input reaches (libFuzzer), which needs a build folder of its own.
let isFuzzed = Context.environment["WAXWING_LIBFUZZER"] != nil
let engine = isFuzzed ? strict + [.unsafeFlags(["-sanitize=fuzzer,address"])] : strict

let package = Package(
    name: "waxwing",
    products: [
        .library(name: "Waxwing", targets: ["Waxwing"]),
        .library(name: "Age", targets: ["Age"]),
        .library(name: "Archive", targets: ["Archive"]),
        .library(name: "MLS", targets: ["MLS", "MLSOpenSSL"]),
        .library(name: "WaxwingClient", targets: ["WaxwingClient", "WaxwingCore", "ConclaveProtocol"]),
        .library(name: "SQLiteStore", targets: ["SQLiteStore"]),
        .library(name: "FixtureTransport", targets: ["FixtureTransport"]),
        .library(name: "StoreConformance", targets: ["StoreConformance"]),
        .library(name: "FileStore", targets: ["FileStore"]),
        .library(name: "HTTPTransport", targets: ["HTTPTransport"]),
        .library(name: "TransportConformance", targets: ["TransportConformance"]),
        .library(name: "WaxwingServer", targets: ["WaxwingServer"]),
        // For the tests of programs on a disk that is full, by LD_PRELOAD.
        .library(name: "DiskFaults", type: .dynamic, targets: ["CDiskFaults"]),
        .executable(name: "waxwing", targets: ["WaxwingCLI"]),
        .executable(name: "waxwingd", targets: ["WaxwingDaemon"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries
        .systemLibrary(
            name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Sources/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // The system's files
        .target(
            name: "Files", dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),

        // The machine and the process: clocks, cores, signals, the terminal, private memory
        .target(name: "CProcess"),
        .target(name: "Machine", dependencies: ["CProcess", "Files"], swiftSettings: strict),

        // What others than the MLS provider need of OpenSSL
        .target(name: "OpenSSLPrimitives", dependencies: ["COpenSSL"], swiftSettings: strict),

        // Sealed files
        .target(name: "Age", dependencies: ["COpenSSL", "Files", "OpenSSLPrimitives"], swiftSettings: strict),
        .target(
            name: "Archive",
            dependencies: ["Age", "ConclaveProtocol", "CZstd", "Files", "Machine", "OpenSSLPrimitives", "WaxwingCore"],
            swiftSettings: strict),

        // The MLS engine
        .target(name: "MLS", exclude: ["RFC9420.md"], swiftSettings: engine),
        .target(name: "MLSFuzz", dependencies: ["MLS"], path: "Sources/Tools/MLSFuzz", swiftSettings: engine),
        .target(name: "MLSOpenSSL", dependencies: ["MLS", "COpenSSL", "Machine"], swiftSettings: strict),
        .target(
            name: "MLSVectorRunner", dependencies: ["MLS", "MLSOpenSSL"], path: "Sources/Tools/MLSVectorRunner",
            swiftSettings: strict),
        .executableTarget(
            name: "mls-vectors", dependencies: ["MLSVectorRunner"], path: "Sources/Tools/MLSVectors",
            swiftSettings: strict),
        .target(name: "MLSPeer", dependencies: ["MLS"], path: "Sources/Tools/MLSPeer", swiftSettings: strict),
        .executableTarget(
            name: "mls-peer", dependencies: ["MLSPeer", "MLSOpenSSL"], path: "Sources/Tools/MLSPeerTool",
            swiftSettings: strict),
        .executableTarget(
            name: "own-vectors", dependencies: ["MLS", "MLSOpenSSL"], path: "Sources/Tools/MLSOwnVectors",
            swiftSettings: strict),

        // The messenger
        .target(
            name: "ConclaveProtocol", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Messages/conclave.proto"], swiftSettings: strict),
        .target(name: "WaxwingCore", dependencies: ["MLS", "ConclaveProtocol"], swiftSettings: strict),
        .target(name: "WaxwingClient", dependencies: ["Files", "Machine", "WaxwingCore"], swiftSettings: strict),
        .target(
            name: "SQLiteStore",
            dependencies: [
                "Files", "Machine", "WaxwingCore",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            path: "Plugins/SQLiteStore", swiftSettings: strict),
        .target(
            name: "FileStore", dependencies: ["Files", "OpenSSLPrimitives", "WaxwingCore"], path: "Plugins/FileStore",
            swiftSettings: strict),
        .target(
            name: "FixtureTransport",
            dependencies: ["Files", "OpenSSLPrimitives", "WaxwingCore", "ConclaveProtocol", "MLS"],
            path: "Plugins/FixtureTransport", swiftSettings: strict),

        .target(name: "CDiskFaults", path: "Tests/CDiskFaults"),

        // What every store has to do, for the tests of any of them.
        .target(name: "CFaults", path: "Sources/Tools/CFaults"),
        .target(
            name: "StoreConformance", dependencies: ["WaxwingCore", "CFaults"], path: "Sources/Tools/StoreConformance",
            swiftSettings: strict),
        .target(
            name: "HTTPTransport", dependencies: ["Machine", "WaxwingCore", "ConclaveProtocol", "CCurl"],
            path: "Plugins/HTTPTransport", swiftSettings: strict),

        // What every plug-in has to do
        .target(
            name: "TransportConformance",
            dependencies: [
                "WaxwingCore", "ConclaveProtocol", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Sources/Tools/TransportConformance", swiftSettings: strict),

        // The server, and what it reads of MLS
        .target(name: "MLSReading", swiftSettings: strict),
        .target(
            name: "WaxwingServer",
            dependencies: [
                "ConclaveProtocol", "Files", "Machine", "MLSReading", "OpenSSLPrimitives",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // What an app embeds
        .target(
            name: "Waxwing",
            dependencies: [
                "Age", "Archive", "Files", "Machine", "WaxwingClient", "WaxwingCore", "ConclaveProtocol", "MLS",
                "MLSOpenSSL",
                "SQLiteStore", "FileStore", "HTTPTransport",
            ],
            swiftSettings: strict),

        // The executables
        .executableTarget(
            name: "WaxwingCLI",
            dependencies: [
                "Waxwing", "WaxwingClient", "Archive", "Age", "Files", "FixtureTransport", "MLSOpenSSL",
                "Machine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "WaxwingDaemon",
            dependencies: [
                "WaxwingServer", "Machine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),

        // `make demo` and `make bench-client`: stories told with the two programs
        .executableTarget(name: "demo", path: "Sources/Tools/Demo", swiftSettings: strict),
        .executableTarget(
            name: "bench-mls", dependencies: ["MLS", "MLSOpenSSL", "COpenSSL"], path: "Sources/Tools/BenchMLS",
            exclude: ["RESULTS.md"],
            swiftSettings: strict),
        .executableTarget(
            name: "bench-client",
            dependencies: [
                "WaxwingClient", "SQLiteStore", "FileStore", "HTTPTransport", "FixtureTransport", "MLSOpenSSL", "MLS",
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            path: "Sources/Tools/BenchClient", swiftSettings: strict),

        .executableTarget(
            name: "bench-stores",
            dependencies: [
                "WaxwingCore", "SQLiteStore", "FileStore", .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            path: "Sources/Tools/BenchStores", swiftSettings: strict),

        .executableTarget(
            name: "bench-archive",
            dependencies: [
                "WaxwingClient", "WaxwingCore", "ConclaveProtocol", "SQLiteStore", "FileStore", "HTTPTransport",
                "MLSOpenSSL",
            ],
            path: "Sources/Tools/BenchArchive", swiftSettings: strict),

        // Tests
        // Some of the age test vectors are compressed with it.
        .systemLibrary(name: "CZlib", path: "Tests/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .testTarget(name: "AgeTests", dependencies: ["Age", "OpenSSLPrimitives", "CZlib"], swiftSettings: strict),
        .testTarget(
            name: "ArchiveTests",
            dependencies: [
                "Archive", "Age", "ConclaveProtocol", "CZstd", "OpenSSLPrimitives", "MLS", "MLSOpenSSL", "WaxwingCore",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MLSTests", dependencies: ["MLS", "MLSFuzz", "MLSOpenSSL", "MLSVectorRunner", "own-vectors"],
            swiftSettings: strict),
        .testTarget(
            name: "MLSReadingTests", dependencies: ["MLSReading", "MLS", "MLSOpenSSL"], swiftSettings: strict),
        .testTarget(
            name: "MLSPeerTests", dependencies: ["MLSPeer", "mls-peer", "MLS", "MLSOpenSSL"], swiftSettings: strict),
        .testTarget(name: "ConclaveProtocolTests", dependencies: ["ConclaveProtocol"], swiftSettings: strict),
        .testTarget(
            name: "WaxwingCoreTests",
            dependencies: [
                // The server in process, for worlds in virtual time.
                "WaxwingCore", "WaxwingClient", "ConclaveProtocol", "MLS", "MLSOpenSSL", "WaxwingServer",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        // Shared by tests
        .target(name: "TestFolders", path: "Tests/TestFolders", swiftSettings: strict),
        .testTarget(
            name: "WaxwingTests",
            dependencies: [
                "Waxwing", "WaxwingCore", "WaxwingClient", "ConclaveProtocol", "SQLiteStore", "FileStore", "MLSOpenSSL",
                "CFaults", "TestFolders", "WaxwingServer",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: [
                "SQLiteStore", "StoreConformance", "TestFolders", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FileStoreTests", dependencies: ["FileStore", "StoreConformance", "CFaults", "TestFolders"],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPTransportTests",
            dependencies: [
                "HTTPTransport", "TransportConformance", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FixtureTransportTests",
            dependencies: [
                "FixtureTransport", "HTTPTransport", "TransportConformance", "ConclaveProtocol", "WaxwingCore",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WaxwingServerTests",
            dependencies: [
                "ConclaveProtocol", "MLSReading", "WaxwingDaemon", "WaxwingServer",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WaxwingCLITests",
            dependencies: [
                "WaxwingCLI", "Waxwing", "WaxwingCore", "WaxwingClient", "SQLiteStore", "FileStore", "MLSOpenSSL",
                "CFaults", "Machine", "TestFolders",
            ],
            swiftSettings: strict),
        // The two programs as processes: a server, clients, and the network between them.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Age", "WaxwingCLI", "WaxwingDaemon", "Waxwing", "WaxwingCore", "ConclaveProtocol", "HTTPTransport",
                "MLS",
                "MLSOpenSSL", "MLSPeer",
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)

if isFuzzed {
    package.targets.append(
        .executableTarget(
            name: "mls-fuzz", dependencies: ["MLS", "MLSFuzz", "MLSVectorRunner"], path: "Sources/Tools/MLSFuzzer",
            swiftSettings: engine,
            // gold, the linker of old, breaks on the sanitizers' symbols.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
