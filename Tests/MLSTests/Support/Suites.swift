import MLS
import MLSOpenSSL

/// The suite of that number, over OpenSSL.
func suite(_ number: UInt16) throws -> any SuiteCrypto {
    guard let suite = CipherSuite(rawValue: number) else { throw MLSError(.unsupported, "suite \(number)") }
    return try OpenSSLProvider().suite(suite)
}

let allSuites = CipherSuite.allCases.map(\.rawValue)
