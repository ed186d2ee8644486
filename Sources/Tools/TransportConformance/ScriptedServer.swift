import Foundation
import Synchronization

/// A TCP server on a free port of 127.0.0.1 that does what a script says, with one thread for each connection.
public final class ScriptedServer: Sendable {
    /// One accepted connection, used only by its thread.
    public final class Connection: @unchecked Sendable {
        /// The first is 0.
        public let number: Int
        private let socket: Int32
        private var buffered: [UInt8] = []

        fileprivate init(_ socket: Int32, number: Int) {
            self.socket = socket
            self.number = number
        }

        /// The next request; nil if the client has closed the connection.
        public func readRequest() -> Request? {
            while true {
                if let request = Request(&buffered) { return request }
                guard readMore() else { return nil }
            }
        }

        /// Waits for the client to close the connection.
        public func waitForEnd() {
            while readMore() { buffered = [] }
        }

        /// Writes as long as the client listens.
        public func write(_ text: String) { write(Array(text.utf8)) }

        /// Writes as long as the client listens.
        public func write(_ bytes: [UInt8]) {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }

        /// A whole answer.
        public func answer(_ body: [UInt8], status: String = "200 OK", type: String = "application/x-protobuf") {
            write("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n")
            write(body)
        }

        /// The head of an event stream.
        public func beginFeed() { write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n") }

        /// Tells the client that nothing more will come.
        public func finishWriting() { shutdown(socket, Int32(SHUT_WR)) }

        /// Answers with a login page, as a hotel network does.
        public func answerLikeAPortal() {
            answer(Array("<html><body>Please log in</body></html>".utf8), type: "text/html; charset=utf-8")
        }

        private func readMore() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            buffered += chunk[..<count]
            return true
        }

        fileprivate func close() {
            shutdown(socket, Int32(SHUT_RDWR))
            _ = Glibc.close(socket)
        }
    }

    /// One request as it came.
    public struct Request: Hashable, Sendable {
        public var line: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]

        /// Takes a whole request off the front of `bytes`.
        fileprivate init?(_ bytes: inout [UInt8]) {
            let end = Array("\r\n\r\n".utf8)
            guard let head = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
            var lines = String(decoding: bytes[..<head], as: UTF8.self).components(separatedBy: "\r\n")
            line = lines.removeFirst()
            headers = [:]
            for text in lines {
                let parts = text.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
            }
            let length = Int(headers["content-length"] ?? "0") ?? 0
            guard bytes.count >= head + 4 + length else { return nil }
            body = Array(bytes[(head + 4)..<(head + 4 + length)])
            bytes.removeFirst(head + 4 + length)
        }
    }

    public let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])

    public var url: String { "http://127.0.0.1:\(port)" }
    /// All requests that were noted, in order.
    public var requests: [Request] { seen.withLock { $0 } }

    /// Runs `script` on each connection, then closes it.
    public init(_ script: @escaping @Sendable (Connection, ScriptedServer) -> Void) throws {
        (listener, port) = try Self.listen()
        let thread = Thread { [listener, weak self] in
            var number = 0
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0, let self else { return }
                let connection = Connection(socket, number: number)
                number += 1
                Thread {
                    script(connection, self)
                    connection.close()
                }.start()
            }
        }
        thread.start()
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Answers every request with what `answer` returns, and notes it.
    public convenience init(answering answer: @escaping @Sendable (Request, Connection) -> Void) throws {
        try self.init { connection, server in
            while let request = connection.readRequest() {
                server.note(request)
                answer(request, connection)
            }
        }
    }

    /// Adds to ``requests``.
    public func note(_ request: Request) { seen.withLock { $0.append(request) } }

    /// A port on which no one listens.
    public static func unusedPort() throws -> UInt16 {
        let (socket, port) = try listen()
        close(socket)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }
}
