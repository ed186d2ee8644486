import Machine
import COpenSSL
import MLS

/// All seven cipher suites of RFC 9420 over OpenSSL 3.
///
/// Keys are drawn only from the caller's ``EntropySource``, so that a seeded source repeats them byte for byte. The one
/// exception are the nonces of ECDSA signatures (suites 2, 5 and 7), which OpenSSL 3.0 always draws from its own
/// generator.
public struct OpenSSLProvider: CryptoProvider {
    private let threads: Int

    /// - Parameter threads: how many threads may share work that can be spread: the checks of a tree's signatures, the
    ///   seals of a path. Nil for as many as there are cores. Results do not depend on it.
    public init(threads: Int? = nil) { self.threads = threads ?? Machine.cores }

    /// - Throws: `unsupported` when this OpenSSL lacks one of the suite's algorithms.
    public func suite(_ suite: CipherSuite) throws(MLSError) -> any SuiteCrypto {
        guard var crypto = Self.suites[suite] else {
            throw MLSError(.unsupported, "OpenSSL does not offer cipher suite \(suite.rawValue)")
        }
        crypto.spreading = Spreading(threads: threads)
        return crypto
    }

    /// Fetching an algorithm costs more than using it once, so each suite is fetched only once per process.
    private static let suites: [CipherSuite: OpenSSLSuite] = CipherSuite.allCases.reduce(into: [:]) { suites, suite in
        suites[suite] = OpenSSLSuite(suite)
    }
}
