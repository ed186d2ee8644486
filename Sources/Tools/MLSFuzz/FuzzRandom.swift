import MLS
import Synchronization

/// Choices fixed by a seed: the mutators', and the entropy of the groups they play with.
public final class FuzzRandom: EntropySource {
    private let state: Mutex<UInt64>

    public init(seed: UInt64) { state = Mutex(seed) }

    public func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }

    func byte() -> UInt8 { UInt8(truncatingIfNeeded: next() >> 32) }

    /// A number below `bound`; zero if there is none.
    func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }

    func chance(oneIn odds: Int) -> Bool { below(odds) == 0 }

    func element<C: RandomAccessCollection>(of choices: C) -> C.Element? {
        choices.isEmpty ? nil : choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
    }

    /// SplitMix64.
    private func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
