import MLS
import Synchronization

/// Bytes that depend only on how many have been drawn, so that what was drawn in vain can be put back.
final class ReplayEntropy: EntropySource {
    private let seed: UInt64
    private let drawn = Mutex<UInt64>(0)

    init(seed: UInt64) { self.seed = seed }

    func bytes(_ count: Int) -> [UInt8] {
        drawn.withLock { drawn in
            drawn += 1
            var generator = SeededGenerator(seed: seed &+ drawn &* 0xD134_2543_DE82_EF95)
            return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) }
        }
    }

    /// How many draws there have been.
    var position: UInt64 {
        get { drawn.withLock { $0 } }
        set { drawn.withLock { $0 = newValue } }
    }
}
