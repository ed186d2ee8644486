import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// A kind of connection with a ``ConnectionGuard`` in front.
struct GuardedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let roster: ConnectionRoster
    let deadlines: ConnectionDeadlines
    let hasTLS: Bool

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        let keeper = ConnectionGuard(roster: roster, deadlines: deadlines, awaitsHandshake: hasTLS)
        do {
            try channel.pipeline.syncOperations.addHandler(keeper)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        let bound = NIOLoopBound(keeper, eventLoop: channel.eventLoop)
        let done = base.setup(channel: channel, logger: logger).map { value in
            bound.value.value = value
            return value
        }
        guard hasTLS else { return done }
        let watch = NIOLoopBound(HandshakeWatch(keeper), eventLoop: channel.eventLoop)
        return done.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(
                watch.value, position: .after(pipeline.handler(type: NIOSSLServerHandler.self)))
            return value
        }
    }

    func handle(value: Base.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
