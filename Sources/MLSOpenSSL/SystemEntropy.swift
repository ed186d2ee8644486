import COpenSSL
import MLS

/// OpenSSL's generator for private values, seeded by the operating system.
public struct SystemEntropy: EntropySource {
    public init() {}

    public func bytes(_ count: Int) -> [UInt8] {
        Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            // A machine without randomness cannot make keys; going on would make guessable ones.
            precondition(RAND_priv_bytes_ex(nil, buffer.baseAddress, count, 0) == 1, "no randomness to be had")
            initialized = count
        }
    }
}
