/// Whose turn it is: the client's, which works something out, or the world's, which may let one thing reach it.
///
/// Only one thing is on its way at a time, and only while the client rests. That is what makes their order one that can be repeated.
enum Turn: Sendable {
    /// The client works.
    case going
    /// The client rests: one thing may come. `ring` tells it that time has passed.
    case resting(ring: @Sendable () -> Void)
    /// Something is on its way to the client.
    case coming
}
