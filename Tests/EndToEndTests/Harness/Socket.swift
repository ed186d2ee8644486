import Foundation

/// A TCP connection on loopback, used by one thread, which it may block.
final class Socket: @unchecked Sendable {
    private let descriptor: Int32
    private var buffered: [UInt8] = []

    /// Waits for the next connection; nil if the listener is closed.
    init?(acceptedBy listener: Int32) {
        descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Nil if no one listens there.
    init?(connectingTo port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let code = withLoopback(port) { connect(descriptor, $0, $1) }
        guard code == 0 else {
            _ = Glibc.close(descriptor)
            return nil
        }
    }

    func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        _ = Glibc.close(descriptor)
    }

    /// - Returns: false if the other side is gone.
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The next whole request; nil if the other side has nothing more to say.
    func readRequest() -> HTTPRequest? {
        guard let head = readHead(), var request = HTTPRequest(head: head) else { return nil }
        let length = request.headers.first { $0[0] == "content-length" }.flatMap { Int($0[1]) } ?? 0
        guard let body = read(length) else { return nil }
        request.body = body
        return request
    }

    /// Everything up to and including the empty line.
    func readHead() -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let start = buffered.indices.first(where: { buffered[$0...].starts(with: end) }) {
                return read(start + end.count)
            }
            guard readMore() else { return nil }
        }
    }

    func read(_ count: Int) -> [UInt8]? {
        while buffered.count < count { guard readMore() else { return nil } }
        defer { buffered.removeFirst(count) }
        return Array(buffered.prefix(count))
    }

    /// Forwards whatever comes until one of the two sides is gone, or this many pieces have come.
    func pour(into other: Socket, pieces: Int = .max) {
        guard other.write(buffered) else { return }
        buffered = []
        for _ in 0..<pieces {
            guard isReadable(before: other), readMore(), other.write(buffered) else { return }
            buffered = []
        }
    }

    /// Reads on, for no one, until one of the two sides is gone.
    func watch(_ other: Socket) {
        while isReadable(before: other), readMore() { buffered = [] }
    }

    /// Waits until something comes; false if the other one was the first to say something, or to leave.
    private func isReadable(before other: Socket) -> Bool {
        var watched = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        return poll(&watched, 2, -1) > 0 && watched[1].revents == 0
    }

    private func readMore() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffered += chunk[..<count]
        return true
    }

    // MARK: Ports

    /// A listener on a free port.
    static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withLoopback(0) { bind(listener, $0, $1) } == 0 && Glibc.listen(listener, 64) == 0
        let isNamed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) == 0 }
        }
        guard isBound, isNamed else { throw POSIXError(.EADDRNOTAVAIL) }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// A port on which no one listens.
    static func unusedPort() throws -> UInt16 {
        let (descriptor, port) = try listen()
        _ = Glibc.close(descriptor)
        return port
    }
}

private func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
