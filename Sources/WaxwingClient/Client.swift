public import ConclaveProtocol
public import MLS
public import WaxwingCore

/// A messenger account at work: drives the core, commits its change sets, and only then performs their effects.
///
/// Commands need no network and return when their intent is on disk. ``run(live:until:)`` talks to the server. Several processes may have
/// the same store open, but only the one that holds the ``ConnectionLease`` should run.
public actor Client {
    /// When a run is over.
    public enum Goal: Sendable {
        /// Everything that can be done is done, or the way to the server is cut.
        case settled
        /// The row with this number is done or has failed, or the way to the server is cut.
        case rowDone(group: ID, order: UInt64)
        /// Never: until ``Client/stop()``.
        case stopped

        fileprivate var isFinite: Bool { if case .stopped = self { false } else { true } }
    }

    /// Lost answers in a row after which a run that is not live gives up.
    private static let passingFailures = 4
    /// Lost answers, in a row or not, after which it gives up: a server that never answers one kind of request must not hold it for ever.
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
    /// How often the way to the server was cut in this run.
    private var cuts = 0
    private var isStopped = false
    /// Those who wait for the run to end.
    private var endings: [CheckedContinuation<Void, Never>] = []
    /// Until when this run waits for what is put off; nil for a little while each time.
    private var patience: Deadline?
    /// When something that the last run left was to be tried; nil where nothing waited for time to pass.
    public private(set) var nextTry: Deadline?

    /// - Parameters:
    ///   - clock: the clocks; those of the machine where it is left out.
    ///   - pace: when the client goes on; as time passes where it is left out.
    ///   - onNotice: called for everything worth showing, after it is on disk, in order.
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

    /// Reads the store where the client does its own work, so that the caller waits for the disk without holding a thread.
    package func read<Value: Sendable>(_ body: @Sendable (AccountReader) throws -> Value) throws -> Value {
        try body(reader)
    }

    /// Carries out a command against the store.
    ///
    /// - Throws: ``CoreError`` or ``StoreError``; nothing has changed then.
    @discardableResult
    public func perform(_ command: Command) throws -> CommandOutcome {
        try step(.perform(command)).outcome
    }

    /// What the group's keys say about it; nil where there are none.
    public func details(of group: ID) throws -> GroupDetails? { try core.details(of: group) }

    /// Asks the server one thing directly: what accounts need before there is a session.
    ///
    /// - Parameter server: its address. Where it has asked to be left alone, nothing is sent before that time is over.
    /// - Throws: ``TransportError``, with cause `askedToWait` where nothing was sent for that reason; ``ProtocolError``; ``StoreError``.
    public func ask<Response>(_ call: Call<Response>, of server: String) async throws -> Response {
        let known = try reader.link()
        if let known, known.kind == .askedToWait, let hold = known.hold(of: server, clock()) { throw hold.trouble }
        let answer: APIResponse
        do {
            pace.sending(call.request)
            pace.rest(milliseconds: nil) {}
            defer { pace.goOn() }
            answer = try await transport.send(call.request)
        }
        do throws(ProtocolError) {
            let response = try call.decode(answer)
            // What was asked for is done; that the server is well again shows once more with the next answer.
            if known?.trouble.isEmpty == false { _ = try? step(.askedDirectly(server: server, nil)) }
            return response
        } catch {
            // The server's refusal tells more than that it could not be written down.
            if error.serverTrouble == .asksToWait { _ = try? step(.askedDirectly(server: server, error)) }
            throw error
        }
    }

    // MARK: Running

    /// Talks to the server until the goal is reached, or the task is cancelled (``lookUp()``).
    ///
    /// - Parameters:
    ///   - live: listen for events too.
    ///   - patience: until when to wait for what is put off, where the goal depends on it; for two seconds each time where it is left out.
    ///   - atOnce: ask the server even where it asked to be left alone for a while.
    /// - Returns: how things stand with the server at the end.
    /// - Throws: ``StoreError`` where the store fails, ``CoreError`` `notLoggedIn`.
    public func run(live: Bool, until goal: Goal, patience: Deadline? = nil, atOnce: Bool = false) async throws
        -> LinkState
    {
        guard !isRunning else { throw CoreError(.notAllowed, "this client is running already") }
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
                // Commands and the bell must not wait for a long catch-up, nor a long row of answers.
                await Task.yield()
                if let entry = mailbox.take() {
                    pace.goOn()
                    // An event of a feed that was closed since says nothing about the one that is open now.
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

    /// Ends ``run(live:until:)`` soon. What is under way is left to the next run, which looks in the log first.
    public nonisolated func stop() {
        pace.askToStop { Task { await self.stopNow() } }
    }

    /// Has a run look whether its task is cancelled.
    package nonisolated func lookUp() { mailbox.ring() }

    /// Ends a run, if there is one, and waits until it has ended.
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
            // The server is there, but an answer got lost on the way: that heals better now than at the next run.
            let isPassing = trouble.cause == .connectionLost || trouble.cause == .timeout
            if isPassing, core.linkFailures < Self.passingFailures, cuts < Self.cutsPerRun { return false }
        default: break
        }
        switch goal {
        case .stopped: return false
        case .settled:
            // What is put off for a moment is waited for; what is put off for longer is left to the next run.
            guard core.isSettled else { return false }
            guard case .up = core.linkState, let next = core.nextWake else { return true }
            return !isWorthWaiting(next)
        case .rowDone(let group, let order):
            guard let row = try reader.outboxRow(group, order: order), !row.isFailed, row.state != .held else {
                return true
            }
            guard core.isSettled else { return false }
            // What is put off is waited for in this connection: another one would begin with asking for everything.
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

    /// Another process may queue something while we run: its change sets move the store's revision.
    private func watchStore() -> Task<Void, Never> {
        Task { [mailbox, store] in
            // Unreadable counts as nothing seen yet.
            var last = try? store.revision()
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(200))
                // A store that cannot be read shows itself in the next step.
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
                // What was read may have been changed under our hands by another process: then the error means nothing.
                if try store.revision() != base { continue }
                throw error
            }
            do {
                if !batch.changes.isEmpty { _ = try store.commit(batch.changes) }
            } catch {
                core = before
                // Another process was faster: read again and think again.
                if error.code == .staleRevision { continue }
                throw error
            }
            for effect in batch.effects { perform(effect) }
            return batch
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .send(let id, let request):
            pace.sending(request)
            calls[id] = Task { [mailbox, transport, weak self] in
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
