import MLS

/// Test vectors for what the official set leaves out, in its formats.
///
/// Everything is made from a seed, so the same cases come out again: byte for byte if a suite's signatures are
/// deterministic (1, 3, 4 and 6), and otherwise except for the signatures and what is computed from them.
enum OwnVectors {
    /// All files, with the cases of the given suites.
    static func files(for suites: [CipherSuite], provider: any CryptoProvider) throws -> [VectorFile] {
        var files = [
            VectorFile(name: "tree-operations", cases: try suites.flatMap { try treeOperations($0, provider) }),
            VectorFile(name: "psk_secret", cases: try suites.flatMap { try pskSecrets($0, provider) }),
        ]
        for scenario in Scenario.all {
            let cases = try suites.map { suite in
                try VectorFile.line(try scenario.play(Stage(suite, provider: provider, seed: scenario.name)))
            }
            files.append(VectorFile(name: "passive-client-" + scenario.name, cases: cases))
        }
        return files
    }

    private static func treeOperations(_ suite: CipherSuite, _ provider: any CryptoProvider) throws -> [String] {
        try TreeOperationCases(crypto: provider.suite(suite)).make().map { try VectorFile.line($0) }
    }

    private static func pskSecrets(_ suite: CipherSuite, _ provider: any CryptoProvider) throws -> [String] {
        try PSKSecretCases(crypto: provider.suite(suite)).make().map { try VectorFile.line($0) }
    }
}
