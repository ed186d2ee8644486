import Foundation
import Synchronization

/// A network with faults: it is between people and a server on loopback, understands enough HTTP/1.1 to tell requests
/// apart, and asks a script what becomes of each.
final class FaultyProxy: Sendable {
    /// What becomes of one request.
    enum Fate: Sendable {
        case pass
        /// The connection ends before the server hears of it.
        case loseRequest
        /// The server does its work, and the connection ends without a word of its answer.
        case loseAnswer
        /// The same, after the first bytes of the answer, given as a fraction of the whole.
        case cutAnswer(after: Double)
        /// Someone else answers, and the server never hears of it.
        case answer(HTTPAnswer)
        /// The server's answer is changed.
        case change(@Sendable (inout HTTPAnswer) -> Void)
        /// The request goes on when the gate opens.
        case hold(Gate)
        /// The request goes on this many milliseconds later.
        case delay(UInt32)
        /// A stream ends after this many pieces, as they came from the server; any other answer passes.
        case cutStream(pieces: Int)
        /// A stream is kept back whole until it ends; any other answer passes.
        case holdBack
    }

    typealias Script = @Sendable (HTTPRequest) -> Fate

    private struct Scene {
        var script: Script = { _ in .pass }
        var hidesIdempotencyKeys = false
        var requests: [HTTPRequest] = []
        var answers: [(endpoint: String, status: Int)] = []
    }

    let port: UInt16
    private let server: UInt16
    private let listener: Int32
    private let scene = Mutex(Scene())

    var url: String { "http://127.0.0.1:\(port)" }

    init(server: UInt16) throws {
        self.server = server
        (listener, port) = try Socket.listen()
        Thread { [listener, weak self] in
            while let client = Socket(acceptedBy: listener) {
                guard let self else { return }
                Thread { self.serve(client) }.start()
            }
        }.start()
    }

    deinit { close(listener) }

    /// What is done from now on.
    func play(_ script: @escaping Script) { scene.withLock { $0.script = script } }

    /// An honest network again.
    func heal() { play { _ in .pass } }

    /// Keeps the server from knowing repeated requests, as those of other makes do.
    func hideIdempotencyKeys() { scene.withLock { $0.hidesIdempotencyKeys = true } }

    /// All requests that came, in order.
    var requests: [HTTPRequest] { scene.withLock { $0.requests } }

    /// What the server answered to requests of one endpoint, in order: the status of each.
    func statuses(of endpoint: String) -> [Int] {
        scene.withLock { scene in scene.answers.filter { $0.endpoint == endpoint }.map(\.status) }
    }

    // MARK: One connection

    private func serve(_ client: Socket) {
        defer { client.close() }
        while let request = client.readRequest() {
            let (script, hidesKeys) = scene.withLock { scene in
                scene.requests.append(request)
                return (scene.script, scene.hidesIdempotencyKeys)
            }
            var fate = script(request)
            switch fate {
            case .hold(let gate):
                gate.wait()
                fate = .pass
            case .delay(let milliseconds):
                usleep(milliseconds * 1000)
                fate = .pass
            default: break
            }
            guard carryOut(fate, request, hidesKeys ? ["idempotency-key"] : [], client) else { return }
        }
    }

    /// - Returns: whether the connection can take another request.
    private func carryOut(_ fate: Fate, _ request: HTTPRequest, _ hidden: [String], _ client: Socket) -> Bool {
        switch fate {
        case .loseRequest: return false
        case .answer(let answer): return client.write(answer.bytes)
        default: break
        }
        guard let upstream = Socket(connectingTo: server) else { return false }
        defer { upstream.close() }
        guard upstream.write(request.bytes(without: hidden)), let head = upstream.readHead() else { return false }
        let status = HTTPAnswer(head: head, body: []).status
        scene.withLock { $0.answers.append((request.endpoint, status)) }
        guard let length = HTTPAnswer.bodyLength(head) else {
            // A stream of events, as long as both sides stay.
            switch fate {
            case .holdBack: upstream.watch(client)
            case .cutStream(let pieces):
                guard client.write(head) else { return false }
                upstream.pour(into: client, pieces: pieces)
            default:
                guard client.write(head) else { return false }
                upstream.pour(into: client)
            }
            return false
        }
        guard let body = upstream.read(length) else { return false }
        switch fate {
        case .loseAnswer: return false
        case .cutAnswer(let part):
            let whole = head + body
            _ = client.write(Array(whole.prefix(Int(Double(whole.count) * part))))
            return false
        case .change(let change):
            var answer = HTTPAnswer(head: head, body: body)
            change(&answer)
            return client.write(answer.bytes)
        default: return client.write(head + body)
        }
    }
}

/// Something at which requests wait until a test lets them go.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let arrivals = Mutex(0)

    /// How many have come to the gate.
    var waiting: Int { arrivals.withLock { $0 } }

    func wait() {
        arrivals.withLock { $0 += 1 }
        if semaphore.wait(timeout: .now() + 60) == .success { semaphore.signal() }
    }

    /// Lets everyone through, including those who come later.
    func open() { semaphore.signal() }
}
