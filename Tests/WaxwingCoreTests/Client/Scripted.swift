import ConclaveProtocol
import Synchronization
import Testing
import WaxwingClient

@testable import WaxwingCore

/// The model server behind a network and a disk that do what a script says, with time that passes when a client has
/// nothing else to do.
final class Scripted: Transport, Pace, Sendable {
    /// What becomes of a request.
    enum Fate {
        case answered
        /// The server hears it, and its answer is lost.
        case answerLost
        case lost
        /// No answer comes until the request is cancelled.
        case hangs
        case instead(APIResponse)
    }

    /// What happened, in order.
    enum Event: Hashable {
        case committed(revision: UInt64)
        case sent(String)
    }

    private struct State {
        var server: ModelServer
        var now = Moment(wall: Instant(milliseconds: 1_800_000_000_000), uptime: 5_000_000, boot: 1)
        var fate: @Sendable (APIRequest) -> Fate = { _ in .answered }
        var disk: @Sendable (ChangeSet) -> StoreError.Code? = { _ in nil }
        var events: [Event] = []
        var requests: [APIRequest] = []
        /// Requests that were decided on, and not answered.
        var underWay = 0
        var hanging: [CheckedContinuation<Void, Never>] = []
        var feeds: [AsyncThrowingStream<FeedEvent, any Error>.Continuation] = []
    }

    private let state: Mutex<State>
    let store = MemoryStore()
    let user: ID

    init() {
        var server = ModelServer(isStrict: true)
        user = server.register("alice")
        state = Mutex(State(server: server))
    }

    // MARK: The script

    var events: [Event] { state.withLock { $0.events } }
    var requests: [APIRequest] { state.withLock { $0.requests } }
    var feedCount: Int { state.withLock { $0.feeds.count } }
    var now: Moment { state.withLock { $0.now } }

    func fate(_ fate: @escaping @Sendable (APIRequest) -> Fate) { state.withLock { $0.fate = fate } }

    /// The error that a change set meets; nil if it is accepted.
    func disk(_ disk: @escaping @Sendable (ChangeSet) -> StoreError.Code?) { state.withLock { $0.disk = disk } }

    func breakFeed() { state.withLock { $0.feeds.last }?.finish(throwing: Self.lost) }
    func hint(_ event: FeedEvent) { state.withLock { $0.feeds.last }?.yield(event) }

    /// Everything that was posted as a message.
    var posted: Int { state.withLock { $0.server.posted.count } }

    static let lost = TransportError(.unknown, .connectionLost, "the connection was lost")

    // MARK: Transport

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        defer { state.withLock { $0.underWay -= 1 } }
        let fate = state.withLock { state in
            state.events.append(.sent("\(request)"))
            state.requests.append(request)
            return state.fate(request)
        }
        switch fate {
        case .answered: return answer(request)
        case .answerLost:
            _ = answer(request)
            throw Self.lost
        case .lost: throw TransportError(.notSent, .unreachable, "the server cannot be reached")
        case .instead(let response): return response
        case .hangs:
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    // Cancelled before it could be put where the handler looks.
                    if Task.isCancelled { return continuation.resume() }
                    state.withLock { $0.hanging.append(continuation) }
                    if Task.isCancelled { wake() }
                }
            } onCancel: {
                wake()
            }
            throw TransportError(.unknown, .cancelled, "the request was cancelled")
        }
    }

    private func wake() {
        let hanging = state.withLock { state in
            defer { state.hanging = [] }
            return state.hanging
        }
        for continuation in hanging { continuation.resume() }
    }

    private func answer(_ request: APIRequest) -> APIResponse { state.withLock { $0.server.answer(request) } }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        let (stream, continuation) = AsyncThrowingStream<FeedEvent, any Error>.makeStream()
        state.withLock { state in
            state.underWay -= 1
            state.feeds.append(continuation)
        }
        continuation.yield(.opened)
        return stream
    }

    // MARK: Pace

    var isShared: Bool { false }
    func begin(stop: @escaping @Sendable () -> Void) {}
    func sending(_ request: APIRequest) { state.withLock { $0.underWay += 1 } }
    func goOn() {}
    func askToStop(_ stop: @escaping @Sendable () -> Void) { stop() }

    /// Time passes at once, if nothing is under way that may come before.
    func rest(milliseconds: UInt64?, ring: @escaping @Sendable () -> Void) {
        guard let milliseconds else { return }
        let isDue = state.withLock { state in
            guard state.underWay == 0 else { return false }
            state.now = state.now.advanced(byMilliseconds: milliseconds)
            return true
        }
        if isDue { ring() }
    }

    // MARK: The disk

    /// The store as a client sees it.
    struct Disk: Store {
        let script: Scripted

        func revision() -> UInt64 { script.store.revision() }
        func value(_ table: Table, _ key: [UInt8]) -> [UInt8]? { script.store.value(table, key) }

        func page(_ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool)
            -> [Record]
        { script.store.page(table, from: lower, below: upper, limit: limit, descending: descending) }

        func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
            if let code = script.state.withLock({ $0.disk(changes) }) { throw StoreError(code, "as the script says") }
            let revision = try script.store.commit(changes)
            script.state.withLock { $0.events.append(.committed(revision: revision)) }
            return revision
        }
    }
}
