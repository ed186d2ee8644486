/// Whose turn it is: the client's, which works, or the world's, which may deliver one thing to it.
///
/// Only one thing is delivered at a time, and only while the client rests. That makes their order repeatable.
enum Turn: Sendable {
    /// The client works.
    case going
    /// The client rests: one thing may come. `ring` tells it that time has passed.
    case resting(ring: @Sendable () -> Void)
    /// Something is on its way to the client.
    case coming
}
