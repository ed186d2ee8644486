public import ConclaveProtocol

/// Decides when a client goes on.
///
/// Everything that reaches a client from outside comes while it rests: answers, events, the passing of time, the wish
/// to stop. So a pace that knows when the client rests can write down the order in which they came, and make them come
/// in that order again.
public protocol Pace: Sendable {
    /// Whether other processes may change the store meanwhile, so that it has to be checked now and then.
    var isShared: Bool { get }

    /// A run begins. `stop` ends it.
    func begin(stop: @escaping @Sendable () -> Void)

    /// A request is about to go to the transport. Called in the order in which the client decided on the requests; the
    /// transport may see them in another.
    func sending(_ request: APIRequest)

    /// The client has nothing to do until something comes in, or until `milliseconds` have passed, which `ring` tells.
    ///
    /// - Parameter milliseconds: nil if time alone changes nothing.
    func rest(milliseconds: UInt64?, ring: @escaping @Sendable () -> Void)

    /// What came in has reached the client, which goes on: a ring that has not come yet is no longer wanted.
    func goOn()

    /// Someone wants the run to end, or the next one if there is none.
    func askToStop(_ stop: @escaping @Sendable () -> Void)
}
