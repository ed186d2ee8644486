public import ConclaveProtocol
public import MLS
public import WaxwingCore

/// Runs a messenger account: drives the core, commits its change sets, and only then performs their effects.
///
/// Commands need no network and return when their intent is on disk. ``run(live:until:)`` talks to the server. Several
/// processes may have the same store open, but only the one that holds the ``ConnectionLease`` should run.
public actor Client {
    /// When a run is over.
    public enum Goal: Sendable {
        /// Everything that can be done is done, or the server cannot be reached.
        case settled
        /// The row with this number is done or has failed, or the server cannot be reached.
        case rowDone(group: ID, order: UInt64)
        /// Never: the run lasts until ``Client/stop()``.
        case stopped

        fileprivate var isFinite: Bool { if case .stopped = self { false } else { true } }
    }

    /// The number of consecutive lost answers after which a run that is not live gives up.
    private static let passingFailures = 4
    /// The total number of lost answers after which it gives up: a server that never answers one kind of request must
    /// not hold it forever.
    private static let cutsPerRun = 12

    /// Milliseconds that a run until settled waits for what is put off.
    private static let shortWait: UInt64 = 2_000

    private let store: any Store
    private let transport: any Transport
    private let clock: @Sendable () -> Moment
    private let pace: any Pace
    private let onNotice: @Sendable (Notice) -> Void
    private var core: ClientCore
    private let executor = DiskExecutor()
    private let mailbox = Mailbox()
    private var calls: [CallID: Task<Void, Never>] = [:]
    private var feed: Task<Void, Never>?
    /// Counts the feeds that were opened and closed.
    private var feedNumber = 0
    private var isRunning = false
    /// How often the connection was lost in this run.
    private var cuts = 0
    private var isStopped = false
    /// Those who wait for the run to end.
    private var endings: [CheckedContinuation<Void, Never>] = []
    /// Until when this run waits for what is put off; nil for a short while each time.
    private var patience: Deadline?
    /// When something left by the last run was to be tried; nil if nothing was put off.
    public private(set) var nextTry: Deadline?

    /// - Parameters:
    ///   - clock: the clocks; the machine's if omitted.
    ///   - pace: when the client continues; as time passes if omitted.
    ///   - onNotice: called, in order, for everything worth showing, after it is on disk.
    /// - Throws: ``StoreError`` or ``MLSError``.
    public init(
        store: any Store, transport: any Transport, provider: any CryptoProvider, entropy: any EntropySource,
        clock: @escaping @Sendable () -> Moment = { .ofMachine }, pace: any Pace = LivePace(),
        onNotice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) throws {
        self.store = store
        self.transport = transport
        self.clock = clock
        self.pace = pace
        self.onNotice = onNotice
        core = try ClientCore(store: store, provider: provider, entropy: entropy)
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    public nonisolated var reader: AccountReader { AccountReader(store: store) }

    /// Reads the store where the client does its own work, so that the caller waits for the disk without blocking a
    /// thread.
    package func read<Value: Sendable>(_ body: @Sendable (AccountReader) throws -> Value) throws -> Value {
        try body(reader)
    }

    /// Carries out a command against the store.
    ///
    /// - Throws: ``CoreError`` or ``StoreError``; then nothing has changed.
    @discardableResult
    public func perform(_ command: Command) throws -> CommandOutcome {
        try step(.perform(command)).outcome
    }

    /// What the group's keys say about it; nil if there are none.
    public func details(of group: ID) throws -> GroupDetails? { try core.details(of: group) }

    /// Sends the server a single request directly, as accounts need before there is a session.
    ///
    /// - Parameter server: its address. If it has asked to wait, nothing is sent before that time.
    /// - Throws: ``TransportError``, with cause `askedToWait` if nothing was sent for that reason; ``ProtocolError``;
    ///   ``StoreError``.
    public func ask<Response>(_ call: Call<Response>, of server: String) async throws -> Response {
        let known = try reader.link()
        if let known, known.kind == .askedToWait, let hold = known.hold(of: server, clock()) { throw hold.trouble }
        let answer: APIResponse
        do {
            pace.sending(call.request)
            pace.rest(milliseconds: nil) {}
            defer {
                pace.goOn()
                // A run that rests has lost its alarm by this, and sets it again.
                if isRunning { mailbox.ring() }
            }
            answer = try await transport.send(call.request)
        }
        do throws(ProtocolError) {
            let response = try call.decode(answer)
            // The request is done. If this cannot be stored, the next answer shows again that the server works.
            if known?.trouble != nil { _ = try? step(.askedDirectly(server: server, nil)) }
            return response
        } catch {
            // The server's refusal is worth more to the caller than the error of storing it.
            if error.serverTrouble == .asksToWait { _ = try? step(.askedDirectly(server: server, error)) }
            throw error
        }
    }

    // MARK: Running

    /// Talks to the server until the goal is reached, or the task is cancelled (``lookUp()``).
    ///
    /// - Parameters:
    ///   - live: whether to listen for events, too.
    ///   - patience: until when to wait for what is put off, if the goal depends on it; two seconds each time if
    ///     omitted.
    ///   - atOnce: whether to contact the server even if it asked to wait.
    /// - Returns: the state of the connection to the server at the end.
    /// - Throws: ``StoreError`` if the store fails, ``CoreError`` `notLoggedIn`.
    public func run(live: Bool, until goal: Goal, patience: Deadline? = nil, atOnce: Bool = false) async throws
        -> LinkState
    {
        guard !isRunning else { throw CoreError.alreadyRunning }
        isRunning = true
        cuts = 0
        nextTry = nil
        self.patience = patience
        defer {
            isRunning = false
            isStopped = false
            for ending in endings { ending.resume() }
            endings = []
        }
        pace.begin { [weak self] in Task { await self?.stopNow() } }
        try step(.connect(live: live, atOnce: atOnce))
        let watcher = pace.isShared ? watchStore() : nil
        defer { watcher?.cancel() }
        do {
            while !isStopped, !Task.isCancelled {
                // Commands and the bell must not wait for a long catch-up, or for many answers.
                await Task.yield()
                if let entry = mailbox.take() {
                    pace.goOn()
                    // An event of a closed feed says nothing about the one that is open now.
                    if entry.feed == nil || entry.feed == feedNumber { try step(entry.input) }
                    continue
                }
                if core.hasLocalWork {
                    try step(.resume)
                    continue
                }
                if try isReached(goal) { break }
                await waitForInput()
            }
        } catch {
            halt()
            core.abandonConnection()
            throw error
        }
        let state = core.linkState
        nextTry = core.nextWake
        halt()
        try step(.disconnect)
        return state
    }

    /// Ends ``run(live:until:)`` soon. Requests in progress are left to the next run, which looks in the log first.
    public nonisolated func stop() {
        pace.askToStop { Task { await self.stopNow() } }
    }

    /// Makes a run check whether its task is cancelled.
    package nonisolated func lookUp() { mailbox.ring() }

    /// Ends the current run, if there is one, and waits until it has ended.
    package func end() async {
        guard isRunning else { return }
        stopNow()
        await withCheckedContinuation { endings.append($0) }
    }

    private func stopNow() {
        isStopped = true
        mailbox.ring()
    }

    private func isReached(_ goal: Goal) throws -> Bool {
        switch core.linkState {
        case .loginNeeded, .off: return true
        case .waiting(let until, let trouble?):
            // The server has answered, and will soon be asked again.
            if goal.isFinite, trouble.isByServer, isWorthWaiting(until) { return false }
            // The server is there, but an answer was lost on the way: it is better to retry now than in the next run.
            let isPassing = trouble.cause == .connectionLost || trouble.cause == .timeout
            if isPassing, core.linkFailures < Self.passingFailures, cuts < Self.cutsPerRun { return false }
        default: break
        }
        switch goal {
        case .stopped: return false
        case .settled:
            // Wait for what is put off for a moment; leave what is put off for longer to the next run.
            guard core.isSettled else { return false }
            guard case .up = core.linkState, let next = core.nextWake else { return true }
            return !isWorthWaiting(next)
        case .rowDone(let group, let order):
            guard let row = try reader.outboxRow(group, order: order), !row.isFailed, row.state != .held else {
                return true
            }
            guard core.isSettled else { return false }
            // Wait in this connection for what is put off: a new one would begin by fetching everything.
            guard patience != nil, case .up = core.linkState, let next = core.nextWake else { return true }
            return !isWorthWaiting(next)
        }
    }

    private func isWorthWaiting(_ next: Deadline) -> Bool {
        let now = clock()
        return next.left(now) <= patience?.left(now) ?? Self.shortWait
    }

    private func waitForInput() async {
        var left: UInt64?
        if let moment = core.nextWake {
            let wait = moment.left(clock())
            guard wait > 0 else {
                mailbox.put(.wake)
                return
            }
            left = wait
        }
        pace.rest(milliseconds: left) { [mailbox] in mailbox.put(.wake) }
        await mailbox.wait()
    }

    /// Another process may queue something while we run: its change sets advance the store's revision.
    private func watchStore() -> Task<Void, Never> {
        Task { [mailbox, store] in
            // If it cannot be read, nothing was seen yet.
            var last = try? store.revision()
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(200))
                // A store that cannot be read reports it in the next step.
                let current = try? store.revision()
                if current != last { mailbox.put(.storeChanged) }
                last = current
            }
        }
    }

    private func halt() {
        for task in calls.values { task.cancel() }
        calls = [:]
        closeFeed()
        while mailbox.take() != nil {}
        pace.goOn()
    }

    private func closeFeed() {
        feed?.cancel()
        feed = nil
        feedNumber += 1
    }

    // MARK: One step

    /// Handles an input: the change set is on disk before any effect is performed.
    @discardableResult
    private func step(_ input: Input) throws -> Batch {
        while true {
            let before = core
            let batch: Batch
            do {
                batch = try core.handle(input, now: clock())
            } catch {
                let base = core.revision
                core = before
                // Another process may have changed the store while it was read: then the error means nothing.
                if try store.revision() != base { continue }
                throw error
            }
            do {
                if !batch.changes.isEmpty { _ = try store.commit(batch.changes) }
            } catch {
                core = before
                // Another process was faster: read again and decide again.
                if error.code == .staleRevision { continue }
                throw error
            }
            for effect in batch.effects { carryOut(effect) }
            return batch
        }
    }

    private func carryOut(_ effect: Effect) {
        switch effect {
        case .send(let id, let request):
            pace.sending(request)
            calls[id] = Task { [mailbox, transport, weak self] in
                // The run may be over before this begins: then the request is left to the next one.
                if Task.isCancelled { return }
                do throws(TransportError) {
                    let response = try await transport.send(request)
                    mailbox.put(.answered(id, .success(response)))
                } catch {
                    mailbox.put(.answered(id, .failure(error)))
                }
                await self?.forget(id)
            }
        case .openFeed(let token):
            closeFeed()
            pace.sending(Endpoint.events(token: token))
            feed = Task { [mailbox, transport, feedNumber] in
                if Task.isCancelled { return }
                do {
                    for try await event in transport.events(token: token) {
                        // One at a time: a flood of events waits in the transport, which knows how to drop them.
                        await mailbox.deliver(.feed(event), feed: feedNumber)
                    }
                    mailbox.put(.feedEnded(nil), feed: feedNumber)
                } catch {
                    let error = error as? TransportError ?? TransportError(.unknown, .other, "the event stream broke")
                    mailbox.put(.feedEnded(error), feed: feedNumber)
                }
            }
        case .closeFeed:
            closeFeed()
        case .notice(let notice):
            if case .link(.waiting) = notice { cuts += 1 }
            onNotice(notice)
        }
    }

    private func forget(_ id: CallID) { calls[id] = nil }
}
