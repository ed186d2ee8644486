import Foundation
import Glibc

/// A plain HTTP/1.1 client over one blocking socket: small enough to see every byte, patient for at most a minute.
final class HTTPConnection: @unchecked Sendable {
    struct Failure: Error {
        let what: String
    }

    private let socket: Int32
    private var unread: [UInt8] = []

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            Glibc.close(socket)
            throw Failure(what: "connect: \(String(cString: strerror(errno)))")
        }
    }

    deinit { Glibc.close(socket) }

    func send(_ method: String, _ target: String, headers: [String: String], body: [UInt8]) throws {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        if method != "GET" || !body.isEmpty { text += "Content-Length: \(body.count)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        try write(Array((text + "\r\n").utf8) + body)
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(what: "send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Status and headers (names in lower case).
    func readHead() throws -> (status: Int, headers: [String: String]) {
        guard let head = try read(until: "\r\n\r\n") else { throw Failure(what: "no answer") }
        let lines = head.components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let parts = lines[0].split(separator: " ")
        guard parts.count > 1, let status = Int(parts[1]) else { throw Failure(what: "no status line") }
        return (status, headers)
    }

    func readBody(_ headers: [String: String]) throws -> [UInt8] {
        if let length = headers["content-length"].flatMap({ Int($0) }) { return try read(count: length) }
        guard headers["transfer-encoding"] == "chunked" else { return [] }
        var body: [UInt8] = []
        while let chunk = try readChunk() { body += chunk }
        return body
    }

    /// Nil at the end of the body, or of the connection.
    func readChunk() throws -> [UInt8]? {
        guard let line = try read(until: "\r\n"), let count = Int(line, radix: 16) else { return nil }
        let chunk = try read(count: count)
        _ = try read(count: 2)
        return count == 0 ? nil : chunk
    }

    /// Whether there is something to read, or the connection is over.
    func isReadable(within seconds: Double) -> Bool {
        var file = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&file, 1, Int32(seconds * 1000)) > 0
    }

    /// Reads until the server closes the connection.
    ///
    /// - Throws: `Failure` if it does not within ten seconds.
    func waitForEnd() throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count == 0 || count < 0 && errno == ECONNRESET { return }
            guard count > 0 else { throw Failure(what: "the connection stays: \(String(cString: strerror(errno)))") }
        }
    }

    private func read(until end: String) throws -> String? {
        let end = Array(end.utf8)
        while true {
            if let range = unread.firstRange(of: end) {
                defer { unread.removeSubrange(..<range.upperBound) }
                return String(decoding: unread[..<range.lowerBound], as: UTF8.self)
            }
            guard try receive() else { return nil }
        }
    }

    private func read(count: Int) throws -> [UInt8] {
        while unread.count < count {
            guard try receive() else { throw Failure(what: "the connection ended in a body") }
        }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Failure(what: "recv: \(String(cString: strerror(errno)))") }
        unread += buffer[..<count]
        return count > 0
    }
}

/// Runs blocking work on a thread that may block.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
