import Glibc
import Synchronization

/// Everyone who sleeps, and the thread that wakes them.
///
/// The thread waits by `poll`, for a span of time. `Task.sleep` sets the kernel a moment to wake at; where something stands between the program
/// and the kernel that shifts moments, such as libfaketime, that moment never comes or comes years early.
final class Sleepers: Sendable {
    static let shared = Sleepers()

    private struct State {
        var queue = WakeQueue()
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastNumber: UInt64 = 0
        var isRunning = false
    }

    /// Waiting stops while the machine is asleep, so it looks at the clock that does not so often.
    private static let longestPoll: UInt64 = 30_000

    private let state = Mutex(State())
    /// The ends of a pipe that interrupts the thread's waiting; negative where there is none.
    private let (bellRead, bellWrite): (Int32, Int32)

    private init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends where end >= 0 {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (bellRead, bellWrite) = (ends[0], ends[1])
    }

    func sleep(nanoseconds: UInt64) async throws {
        let until = Self.now + nanoseconds
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let isOver = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in add(number, until, continuation) }
        } onCancel: {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: number) }
            waiting?.resume(returning: false)
        }
        if !isOver { throw CancellationError() }
    }

    private func add(_ number: UInt64, _ until: UInt64, _ continuation: CheckedContinuation<Bool, Never>) {
        let (isCancelled, isFirst, starts) = state.withLock { state in
            // Who is cancelled later than this finds the continuation.
            if Task.isCancelled { return (true, false, false) }
            state.waiting[number] = continuation
            state.queue.add(.init(until: until, number: number))
            defer { state.isRunning = true }
            return (false, state.queue.first?.number == number, !state.isRunning)
        }
        if isCancelled { return continuation.resume(returning: false) }
        if starts {
            startThread()
        } else if isFirst {
            ring()
        }
    }

    private func ring() {
        var byte: UInt8 = 1
        // A full pipe wakes the thread just as well.
        _ = write(bellWrite, &byte, 1)
    }

    private func startThread() {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { _ in
                Sleepers.shared.run()
                return nil
            }, nil)
        if code == 0 {
            pthread_detach(thread)
        } else {
            // The next one who sleeps tries again; no one may wait for ever meanwhile.
            let left = state.withLock { state in
                state.isRunning = false
                defer { (state.waiting, state.queue) = ([:], WakeQueue()) }
                return state.waiting.values.map { $0 }
            }
            for continuation in left { continuation.resume(returning: true) }
        }
    }

    private func run() {
        while true {
            let now = Self.now
            let (due, next) = state.withLock { state in
                var due: [CheckedContinuation<Bool, Never>] = []
                while let first = state.queue.first, first.until <= now || state.waiting[first.number] == nil {
                    state.queue.removeFirst()
                    if let continuation = state.waiting.removeValue(forKey: first.number) { due.append(continuation) }
                }
                return (due, state.queue.first?.until)
            }
            for continuation in due { continuation.resume(returning: true) }
            wait(for: next.map { ($0 - now + 999_999) / 1_000_000 })
        }
    }

    private func wait(for milliseconds: UInt64?) {
        var bell = pollfd(fd: bellRead, events: Int16(POLLIN), revents: 0)
        // Without a bell no one can ask for an earlier end.
        let longest = bellRead < 0 ? 20 : milliseconds == nil ? nil : Self.longestPoll
        let wait = longest.map { Int32(min(milliseconds ?? $0, $0)) } ?? -1
        if poll(&bell, 1, wait) > 0 {
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(bellRead, &bytes, bytes.count) == bytes.count {}
        }
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(max(0, time.tv_nsec))
    }
}

/// Who is to be woken next: a binary heap.
struct WakeQueue: Sendable {
    struct Entry: Hashable, Comparable, Sendable {
        /// In nanoseconds since the machine was started.
        var until: UInt64
        var number: UInt64

        static func < (a: Entry, b: Entry) -> Bool { (a.until, a.number) < (b.until, b.number) }
    }

    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0, entries[place] < entries[(place - 1) / 2] {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var place = 0
        while true {
            let children = [2 * place + 1, 2 * place + 2].filter { $0 < entries.count && entries[$0] < entries[place] }
            guard let least = children.min(by: { entries[$0] < entries[$1] }) else { return }
            entries.swapAt(place, least)
            place = least
        }
    }
}
