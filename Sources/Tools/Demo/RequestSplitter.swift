/// Cuts the bytes of a connection into HTTP/1.1 requests with a Content-Length, which is all that `waxwing` sends.
struct RequestSplitter {
    struct Request {
        let head: String
        let bytes: [UInt8]

        /// Whether it posts to a group's `resource`.
        func isPost(to resource: String) -> Bool {
            let words = head.prefix { $0 != "\r\n" }.split(separator: " ")
            return words.count == 3 && words[0] == "POST" && words[1].contains("/groups/")
                && words[1].hasSuffix("/" + resource)
        }
    }

    private var buffer: [UInt8] = []

    /// The requests that are whole now that `bytes` have come.
    mutating func take(_ bytes: [UInt8]) -> [Request] {
        buffer += bytes
        var requests: [Request] = []
        while let end = buffer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
            let head = String(decoding: buffer[..<end], as: UTF8.self)
            let field = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = field.flatMap { Int($0.dropFirst("content-length:".count).filter(\.isNumber)) } ?? 0
            guard buffer.count - end >= length else { break }
            requests.append(Request(head: head, bytes: Array(buffer[..<(end + length)])))
            buffer.removeFirst(end + length)
        }
        return requests
    }
}
