import Foundation
import Synchronization

/// The network between the people and the server: one loopback port that can vanish and come back, and that can make
/// things happen at the worst moment. It knows just enough HTTP/1.1 to see where a request ends.
final class Network: Sendable {
    private struct State {
        var listener: Int32 = -1
        var server: UInt16 = 0
        var connections: [Int32] = []
        var messagesUntilSilence = Int.max
        var commitsToGather = 0
        var gathered = 0
    }

    let port: UInt16
    private let state = Mutex(State())
    private let silenced = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)

    /// Takes a free port; nothing is let through before ``restore(server:)``.
    init() throws {
        let listener = try LoopbackSocket.listen(port: 0)
        port = try LoopbackSocket.port(of: listener)
        close(listener)
    }

    /// From now on the port is there, and leads to the server.
    func restore(server: UInt16) throws {
        let listener = try LoopbackSocket.listen(port: port)
        state.withLock {
            $0.listener = listener
            $0.server = server
        }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { self.carry(client) }
            }
        }
    }

    /// From now on there is nothing at the port.
    func cut() {
        state.withLock { state in
            // A blocked call on a socket ends by shutdown, not by close.
            for socket in state.connections + [state.listener] { shutdown(socket, Int32(SHUT_RDWR)) }
            close(state.listener)
            state.listener = -1
        }
    }

    /// The server hears the next `count` messages and answers them, but the last answer is held back, and so is
    /// everything after it.
    func fallSilent(afterMessages count: Int) { state.withLock { $0.messagesUntilSilence = count } }

    /// Waits until an answer has been held back.
    func waitForSilence() throws {
        guard silenced.wait(timeout: .now() + 30) == .success else { throw Trouble("no message came by") }
    }

    /// Holds commits back until there are `count` of them; then all go on at once.
    func gather(commits count: Int) {
        state.withLock {
            $0.commitsToGather = count
            $0.gathered = 0
        }
    }

    /// How many commits have gathered since.
    var gatheredCommits: Int { state.withLock { $0.gathered } }

    // MARK: One connection

    private func carry(_ client: Int32) {
        let port = state.withLock { $0.server }
        guard let server = LoopbackSocket.connect(port: port) else {
            close(client)
            return
        }
        state.withLock { $0.connections += [client, server] }
        let isSilent = Flag()
        let answers = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            while let bytes = LoopbackSocket.read(server) {
                if isSilent.isSet {
                    silenced.signal()
                } else if !LoopbackSocket.write(bytes, to: client) {
                    break
                }
            }
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
            answers.signal()
        }
        var requests = RequestSplitter()
        carrying: while let bytes = LoopbackSocket.read(client) {
            for request in requests.take(bytes) {
                if passes(request) { isSilent.set() }
                guard LoopbackSocket.write(request.bytes, to: server) else { break carrying }
            }
        }
        shutdown(server, Int32(SHUT_RDWR))
        answers.wait()
        state.withLock { $0.connections.removeAll { $0 == client || $0 == server } }
        close(client)
        close(server)
    }

    /// Holds a request if it has to wait for others.
    ///
    /// - Returns: whether its answer has to be held back.
    private func passes(_ request: RequestSplitter.Request) -> Bool {
        if request.isPost(to: "messages") {
            return state.withLock { state in
                if state.messagesUntilSilence != Int.max { state.messagesUntilSilence -= 1 }
                guard state.messagesUntilSilence == 0 else { return false }
                state.messagesUntilSilence = Int.max
                return true
            }
        }
        guard request.isPost(to: "commit") else { return false }
        let (waits, others) = state.withLock { state in
            guard state.commitsToGather > 0 else { return (false, 0) }
            state.gathered += 1
            state.commitsToGather -= 1
            return state.commitsToGather > 0 ? (true, 0) : (false, state.gathered - 1)
        }
        for _ in 0..<others { released.signal() }
        // One that waits alone goes on after a while; the story then finds that no one else came.
        if waits { _ = released.wait(timeout: .now() + 20) }
        return false
    }
}

/// Set once, by one thread, for another.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
