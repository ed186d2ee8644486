public import ConclaveProtocol
import FoundationEssentials
public import MLS
import Synchronization
public import WaxwingCore

/// Records what a client takes from outside, in the order in which it happens from the client's point of view.
///
/// Give a ``Client`` the recorder as its ``Pace``, and replace its transport, clock and source of entropy by those that
/// the recorder makes of them. Passwords and tokens are never written; placeholders are.
public final class Recorder: Pace {
    /// Called if the recording cannot be written: the client must not go on as if it were.
    public typealias Failure = @Sendable (FixtureError) -> Never

    private struct Waiter {
        let number: UInt64
        let line: FixtureLine
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var lines = 0
        var masks = Masks()
        var turn = Turn.going
        var waiters: [Waiter] = []
        var waiterNumber: UInt64 = 0
        var requests = 0
        /// Decided by the client, and not yet seen by the transport.
        var announced: [(id: Int, request: APIRequest)] = []
        /// Counts rests, so that a late timer does not disturb a later one.
        var rests: UInt64 = 0
        var timer: Task<Void, Never>?
        var hasPace = false
    }

    private let writer: FixtureWriter
    private let withEntropy: Bool
    private let failure: Failure
    private let state = Mutex(State())

    /// Begins a recording, or continues one.
    ///
    /// - Parameters:
    ///   - path: made with mode 0600 if it is missing.
    ///   - program: the name and version of the recording program.
    ///   - withEntropy: whether to record random numbers, too. Only then can it be replayed; but then every key of the
    ///     session follows from it, so it must never be made with an account that matters.
    /// - Throws: ``FixtureError`` if the file cannot be used, or is a recording of the other kind.
    public init(path: String, program: String, withEntropy: Bool, failure: @escaping Failure) throws(FixtureError) {
        let (writer, isNew) = try FixtureWriter.open(path)
        self.writer = writer
        self.withEntropy = withEntropy
        self.failure = failure
        if isNew {
            var header = FixtureLine(.header)
            header.format = Fixture.format
            header.program = program
            header.entropy = withEntropy
            header.note =
                withEntropy
                ? "Holds the draws of entropy: every key of the session follows from it. Do not share it if the account is in use."
                : "Holds no entropy: it can be read, but not played again."
            write(header)
        } else {
            let fixture = try Fixture(path: path)
            guard fixture.isReplayable == withEntropy else {
                throw FixtureError(
                    "\(path) was recorded \(fixture.isReplayable ? "with" : "without") entropy: go on the same way, or begin another file"
                )
            }
            guard fixture.lines.last?.kind == .exit || fixture.lines.count == 1 else {
                throw FixtureError("\(path) ends in the middle of a command: begin another file")
            }
            state.withLock { state in
                state.lines = fixture.lines.count
                for line in fixture.lines where line.kind == .password { state.masks.reserve(line.text ?? "") }
            }
        }
    }

    // MARK: What the client draws

    /// Called when a command line begins. Credentials in it are left out.
    public func command(_ arguments: [String]) {
        var line = FixtureLine(.command)
        line.arguments = Masks.arguments(arguments)
        state.withLock { state in
            state.turn = .going
            state.waiters = []
            state.requests = 0
            state.announced = []
        }
        write(line)
    }

    /// Called when it ended with this exit code.
    public func exit(_ code: Int32) {
        var line = FixtureLine(.exit)
        line.code = code
        write(line)
    }

    /// Clocks that record what they show.
    public func clock(_ clock: @escaping @Sendable () -> Moment) -> @Sendable () -> Moment {
        { [self] in
            let now = clock()
            var line = FixtureLine(.clock)
            line.milliseconds = now.wall.milliseconds
            line.uptime = now.uptime
            line.boot = now.boot
            write(line)
            return now
        }
    }

    /// A source that records what is drawn from it.
    public func entropy(_ source: any EntropySource) -> any EntropySource {
        RecordingEntropy(recorder: self, source: source)
    }

    fileprivate func drew(_ bytes: [UInt8]) {
        guard withEntropy else { return }
        var line = FixtureLine(.entropy)
        line.bytes = Data(bytes)
        write(line)
    }

    /// Called when a password was asked for and given.
    public func password(_ text: String) {
        var line = FixtureLine(.password)
        line.text = state.withLock { $0.masks.password(text) }
        write(line)
    }

    /// Called when something was read from standard input; nothing at its end.
    public func input(_ bytes: [UInt8]) {
        var line = FixtureLine(.input)
        line.bytes = Data(bytes)
        write(line)
    }

    /// A transport that records what crosses another one.
    public func transport(_ transport: any Transport) -> any Transport {
        RecordingTransport(recorder: self, inner: transport)
    }

    // MARK: Pace

    public var isShared: Bool { false }

    public func begin(stop: @escaping @Sendable () -> Void) {}

    public func sending(_ request: APIRequest) {
        state.withLock { $0.hasPace = true }
        announce(request)
    }

    public func rest(milliseconds: UInt64?, ring: @escaping @Sendable () -> Void) {
        let number = state.withLock { state -> UInt64? in
            state.timer?.cancel()
            state.timer = nil
            if case .coming = state.turn { return nil }
            state.turn = .resting(ring: ring)
            state.rests += 1
            return state.rests
        }
        guard let number else { return }
        if letIn() { return }
        guard let milliseconds else { return }
        let timer = Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(milliseconds))
            if !Task.isCancelled { self?.timeHasPassed(rest: number) }
        }
        state.withLock { state in
            if state.rests == number { state.timer = timer } else { timer.cancel() }
        }
    }

    public func goOn() {
        state.withLock { state in
            state.turn = .going
            state.timer?.cancel()
            state.timer = nil
        }
    }

    public func askToStop(_ stop: @escaping @Sendable () -> Void) {
        Task {
            if await deliver(FixtureLine(.stop)) { stop() }
        }
    }

    private func timeHasPassed(rest number: UInt64) {
        let ring = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.rests == number, case .resting(let ring) = state.turn else { return nil }
            state.turn = .coming
            append(FixtureLine(.wake), &state)
            return ring
        }
        ring?()
    }

    // MARK: What comes from outside

    /// The number of the request that the transport was given.
    func number(of request: APIRequest) -> Int {
        let known = state.withLock { state -> Int? in
            guard let index = state.announced.firstIndex(where: { $0.request == request }) else { return nil }
            return state.announced.remove(at: index).id
        }
        // Without a pace, no one has announced it.
        return known ?? announce(request, isTaken: true)
    }

    /// Waits until something may come, and records it.
    ///
    /// - Returns: false if the task was cancelled before it could come.
    func deliver(_ line: FixtureLine) async -> Bool {
        let number = state.withLock { state in
            state.waiterNumber += 1
            return state.waiterNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.waiters.append(Waiter(number: number, line: line, continuation: continuation))
                    return false
                }
                if isCancelled { continuation.resume(returning: false) } else { letIn() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    /// Admits the first of those that wait, if the client rests.
    @discardableResult private func letIn() -> Bool {
        let waiter = state.withLock { state -> Waiter? in
            guard !state.waiters.isEmpty else { return nil }
            if state.hasPace {
                guard case .resting = state.turn else { return nil }
                state.turn = .coming
            }
            let waiter = state.waiters.removeFirst()
            append(waiter.line, &state)
            return waiter
        }
        waiter?.continuation.resume(returning: true)
        return waiter != nil
    }

    // MARK: Lines

    @discardableResult private func announce(_ request: APIRequest, isTaken: Bool = false) -> Int {
        state.withLock { state in
            state.requests += 1
            if !isTaken { state.announced.append((state.requests, request)) }
            append(FixtureLine(request, number: state.requests, &state.masks), &state)
            return state.requests
        }
    }

    /// An answer's line, with its secrets masked.
    func line(_ response: APIResponse, to request: APIRequest, _ number: Int) -> FixtureLine {
        state.withLock { FixtureLine(response, to: request, number: number, &$0.masks) }
    }

    private func write(_ line: FixtureLine) { state.withLock { append(line, &$0) } }

    private func append(_ line: FixtureLine, _ state: inout sending State) {
        var line = line
        state.lines += 1
        line.line = state.lines
        if state.lines > FixtureLimits.lines {
            failure(FixtureError("the recording is full: it has \(FixtureLimits.lines) lines"))
        }
        do { try writer.write(line.encoded + [UInt8(ascii: "\n")]) } catch { failure(error) }
    }
}

private struct RecordingEntropy: EntropySource {
    let recorder: Recorder
    let source: any EntropySource

    func bytes(_ count: Int) -> [UInt8] {
        let bytes = source.bytes(count)
        recorder.drew(bytes)
        return bytes
    }
}
