import MLS
import Synchronization

/// Bytes determined by a text: the hashes of the text and a counter, one after another.
final class VectorEntropy: EntropySource {
    private struct State {
        var counter: UInt64 = 0
        var rest: ArraySlice<UInt8> = []
    }

    private let seed: String
    private let crypto: any SuiteCrypto
    private let state = Mutex(State())

    init(seed: String, crypto: any SuiteCrypto) {
        self.seed = seed
        self.crypto = crypto
    }

    func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            while state.rest.count < count {
                state.rest += crypto.hash(Array("\(seed) \(crypto.suite.rawValue) \(state.counter)".utf8))
                state.counter += 1
            }
            defer { state.rest = state.rest.dropFirst(count) }
            return Array(state.rest.prefix(count))
        }
    }
}
