/// A source of randomness: the operating system in production, a seed in tests and replays.
///
/// The engine draws all its randomness here, always in the same order for the same calls.
public protocol EntropySource: Sendable {
    /// `count` fresh random bytes. Never fails: a source that cannot deliver must end the process.
    func bytes(_ count: Int) -> [UInt8]
}

extension EntropySource {
    /// `count` fresh random bytes that are kept nowhere else, unless the source itself keeps them.
    public func secret(_ count: Int) -> Secret {
        var drawn = bytes(count)
        defer { drawn.withUnsafeMutableBytes { wipe($0) } }
        return Secret(drawn)
    }
}
