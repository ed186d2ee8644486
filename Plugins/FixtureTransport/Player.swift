public import ConclaveProtocol
import FoundationEssentials
public import MLS
import Synchronization
public import WaxwingCore

/// Replays a recording: gives a client what was recorded, in that order, and checks that it does what it did then.
///
/// Give a ``Client`` the player as its ``Pace``, and its ``transport``, ``clock`` and ``entropy``. It needs no network
/// and takes no time: what the client waited for comes at once. Anything it does differently from the recording is a
/// ``Divergence``, which ends the replay.
public final class Player: Pace {
    /// Called when the client does something else. There is no way to continue.
    public typealias Failure = @Sendable (Divergence) -> Never

    private struct State {
        /// The index of the next line.
        var position: Int
        var turn = Turn.going
        var requests = 0
        var announced: [(id: Int, request: APIRequest)] = []
        /// What has come for requests that no one has asked about yet.
        var arrived: [Int: [FixtureLine]] = [:]
        /// Requests for which something may still come.
        var open: Set<Int> = []
        var waiters: [Int: CheckedContinuation<FixtureLine?, Never>] = [:]
        var stop: (@Sendable () -> Void)?
        var hasPace = false
    }

    private let lines: [FixtureLine]
    /// In a replay, passwords are placeholders already.
    private let masks: Masks
    private let failure: Failure
    private let state: Mutex<State>

    /// - Parameter first: the command to begin with; the first of all if omitted.
    /// - Throws: ``FixtureError`` if the fixture holds no entropy.
    public init(_ fixture: Fixture, from first: Fixture.Command? = nil, failure: @escaping Failure)
        throws(FixtureError)
    {
        guard fixture.isReplayable else {
            throw FixtureError("the recording holds no entropy, so it can be read but not played again")
        }
        lines = fixture.lines
        var masks = Masks()
        for line in lines where line.kind == .password { masks.reserve(line.text ?? "") }
        self.masks = masks
        state = Mutex(State(position: first?.position ?? 1))
        self.failure = failure
    }

    // MARK: Commands

    /// Continues with the next command.
    ///
    /// - Returns: its arguments; nil at the end of the recording.
    public func nextCommand() -> [String]? {
        let (next, position) = state.withLock { state -> (FixtureLine?, Int) in
            state.turn = .going
            state.requests = 0
            state.announced = []
            state.arrived = [:]
            state.open = []
            state.waiters = [:]
            state.stop = nil
            defer { state.position += 1 }
            return (line(at: state.position), state.position)
        }
        guard let next else { return nil }
        guard next.kind == .command, let arguments = next.arguments else {
            failure(
                Divergence(expected: next, actual: nil, at: position, "the recording goes on, and no command is left"))
        }
        return arguments
    }

    /// Called when the command ended with this exit code.
    public func exit(_ code: Int32) {
        var actual = FixtureLine(.exit)
        actual.code = code
        if let left = state.withLock({ $0.arrived.values.flatMap(\.self).min { $0.line < $1.line } }) {
            failure(Divergence(expected: left, actual: actual, at: left.line - 1, "this comes, and nobody takes it"))
        }
        _ = take(actual)
    }

    // MARK: What the client draws

    /// The clocks of the recording.
    public var clock: @Sendable () -> Moment {
        { [self] in
            let line = take(.clock)
            var moment = Moment(wall: Instant(milliseconds: line.milliseconds ?? 0))
            // Old recordings have only the wall clock.
            if let uptime = line.uptime { (moment.uptime, moment.boot) = (uptime, line.boot ?? 0) }
            return moment
        }
    }

    /// The entropy of the recording.
    public var entropy: any EntropySource { PlayedEntropy(player: self) }

    fileprivate func entropy(_ count: Int) -> [UInt8] {
        let line = take(.entropy)
        let bytes = Array(line.bytes ?? Data())
        if bytes.count != count {
            var actual = FixtureLine(.entropy)
            actual.bytes = Data(count: count)
            failure(
                Divergence(expected: line, actual: actual, at: line.line - 1, "another number of random bytes is drawn")
            )
        }
        return bytes
    }

    /// The placeholder of the password that was given.
    public func password() -> String { take(.password).text ?? "" }

    /// What was read from standard input.
    public func input() -> [UInt8] { Array(take(.input).bytes ?? Data()) }

    /// The transport of the recording.
    public var transport: any Transport { PlayedTransport(player: self) }

    // MARK: Pace

    public var isShared: Bool { false }

    public func begin(stop: @escaping @Sendable () -> Void) { state.withLock { $0.stop = stop } }

    public func sending(_ request: APIRequest) {
        state.withLock { $0.hasPace = true }
        announce(request)
    }

    public func rest(milliseconds: UInt64?, ring: @escaping @Sendable () -> Void) {
        let rests = state.withLock { state in
            if case .coming = state.turn { return false }
            state.turn = .resting(ring: ring)
            return true
        }
        if rests { play() }
    }

    public func goOn() { state.withLock { $0.turn = .going } }

    /// It stops when it did in the recording.
    public func askToStop(_ stop: @escaping @Sendable () -> Void) {}

    // MARK: What comes from outside

    func number(of request: APIRequest) -> Int {
        let known = state.withLock { state -> Int? in
            guard let index = state.announced.firstIndex(where: { $0.request == request }) else { return nil }
            return state.announced.remove(at: index).id
        }
        return known ?? announce(request, isTaken: true)
    }

    /// What comes next for a request.
    ///
    /// - Returns: nil if the task was cancelled first.
    func next(for number: Int) async -> FixtureLine? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> FixtureLine?? in
                    if Task.isCancelled { return .some(nil) }
                    if let line = state.arrived[number]?.first {
                        state.arrived[number]?.removeFirst()
                        return line
                    }
                    state.waiters[number] = continuation
                    return nil
                }
                if let ready {
                    continuation.resume(returning: ready)
                } else if !state.withLock({ $0.hasPace }) {
                    play()
                }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.open.remove(number)
                return state.waiters.removeValue(forKey: number)
            }
            waiter?.resume(returning: nil)
        }
    }

    /// Delivers the next thing. The client rests, so something must come.
    private func play() {
        enum Step {
            case deliver(CheckedContinuation<FixtureLine?, Never>, FixtureLine)
            case ring(@Sendable () -> Void)
            case stop(@Sendable () -> Void)
            case wait(FixtureLine)
            case nothing
            case failure(FixtureLine?, Int, String)
        }
        let step = state.withLock { state -> Step in
            var ring: @Sendable () -> Void = {}
            if state.hasPace {
                guard case .resting(let bell) = state.turn else { return .nothing }
                ring = bell
            }
            let line = line(at: state.position)
            switch line?.kind {
            case .answer, .failure, .event, .feedEnd:
                guard let line, let number = line.id else { break }
                guard state.open.contains(number) else {
                    return .failure(line, state.position, "this comes for a request that is over")
                }
                let waiter = state.waiters.removeValue(forKey: number)
                // Without a pace, nothing comes before it is asked for.
                if waiter == nil, !state.hasPace { return .nothing }
                state.position += 1
                state.turn = .coming
                if line.kind != .event { state.open.remove(number) }
                guard let waiter else {
                    state.arrived[number, default: []].append(line)
                    return .wait(line)
                }
                return .deliver(waiter, line)
            case .wake:
                state.position += 1
                state.turn = .coming
                return .ring(ring)
            case .stop:
                state.position += 1
                state.turn = .coming
                return state.stop.map { .stop($0) }
                    ?? .failure(line, state.position - 1, "nothing is there to be stopped")
            default:
                if !state.hasPace { return .nothing }
            }
            return .failure(line, state.position, "the client waits for something to come")
        }
        switch step {
        case .deliver(let waiter, let line): waiter.resume(returning: line)
        case .ring(let ring): ring()
        case .stop(let stop): stop()
        case .wait(let line): expectToBeTaken(line)
        case .nothing: break
        case .failure(let line, let position, let what):
            failure(Divergence(expected: line, actual: nil, at: position, what))
        }
    }

    /// Someone must ask for what has come, or the replay would stall.
    private func expectToBeTaken(_ line: FixtureLine) {
        Task {
            try await Task.sleep(for: .seconds(Self.patienceSeconds))
            let isLeft = state.withLock { $0.arrived.values.contains { $0.contains { $0.line == line.line } } }
            if isLeft {
                failure(Divergence(expected: line, actual: nil, at: line.line - 1, "this comes, and nobody takes it"))
            }
        }
    }

    /// Nothing in a replay takes time of its own: no one is busy for this long.
    private static let patienceSeconds = 30

    // MARK: Lines

    @discardableResult private func announce(_ request: APIRequest, isTaken: Bool = false) -> Int {
        let number = state.withLock { state in
            state.requests += 1
            if !isTaken { state.announced.append((state.requests, request)) }
            state.open.insert(state.requests)
            return state.requests
        }
        var masks = masks
        _ = take(FixtureLine(request, number: number, &masks))
        return number
    }

    /// Takes the next line, which must be equal to this one.
    private func take(_ actual: FixtureLine) -> FixtureLine {
        let (line, position) = advance()
        guard let line, line.matches(actual) else {
            failure(Divergence(expected: line, actual: actual, at: position, "the client does something else"))
        }
        return line
    }

    /// Takes the next line, which must be of this kind.
    private func take(_ kind: FixtureLine.Kind) -> FixtureLine {
        let (line, position) = advance()
        guard let line, line.kind == kind else {
            failure(
                Divergence(expected: line, actual: FixtureLine(kind), at: position, "the client does something else"))
        }
        return line
    }

    private func advance() -> (FixtureLine?, Int) {
        state.withLock { state in
            defer { state.position += 1 }
            return (line(at: state.position), state.position)
        }
    }

    private func line(at position: Int) -> FixtureLine? { lines.indices.contains(position) ? lines[position] : nil }
}

private struct PlayedEntropy: EntropySource {
    let player: Player

    func bytes(_ count: Int) -> [UInt8] { count == 0 ? [] : player.entropy(count) }
}

/// The transport of a recording. It needs no network.
private struct PlayedTransport: Transport {
    let player: Player

    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse {
        guard let line = await player.next(for: player.number(of: request)) else {
            throw TransportError(.unknown, .cancelled, "the request was cancelled")
        }
        if let response = line.response { return response }
        throw line.transportError ?? TransportError(.unknown, .badAnswer, "the recording has no answer to this")
    }

    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error> {
        let number = player.number(of: Endpoint.events(token: token))
        return AsyncThrowingStream {
            guard let line = await player.next(for: number) else { return nil }
            if let event = line.feedEvent { return event }
            throw line.transportError ?? TransportError(.unknown, .badAnswer, "the recording has no event here")
        }
    }
}
