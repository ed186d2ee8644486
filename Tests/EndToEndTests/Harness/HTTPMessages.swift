/// One HTTP/1.1 request as it passes by.
struct HTTPRequest: Hashable, Sendable {
    var method: String
    /// Without the query.
    var path: String
    var query: String
    /// Names in lower case, in order.
    var headers: [[String]]
    var body: [UInt8]

    /// Nil unless `head` is a request line and headers.
    init?(head: [UInt8]) {
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        guard !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ")
        guard words.count == 3 else { return nil }
        method = String(words[0])
        let parts = words[1].split(separator: "?", maxSplits: 1)
        path = String(parts[0])
        query = parts.count > 1 ? String(parts[1]) : ""
        headers = lines.map(headerField)
        body = []
    }

    /// `POST …/messages`: a message on its way.
    var isMessage: Bool { method == "POST" && path.hasSuffix("/messages") }

    /// `GET …/messages`: a page of a group's log.
    var isPage: Bool { method == "GET" && path.hasSuffix("/messages") }

    /// The request without its ids, so that the same endpoint always reads the same.
    var endpoint: String {
        let parts = path.split(separator: "/").dropFirst(2).map {
            $0.count == 36 && $0.contains("-") ? "{id}" : String($0)
        }
        return method + " /" + parts.joined(separator: "/")
    }

    func bytes(without hidden: [String]) -> [UInt8] {
        var text = "\(method) \(path)\(query.isEmpty ? "" : "?" + query) HTTP/1.1\r\n"
        for field in headers where !hidden.contains(field[0]) { text += "\(field[0]): \(field[1])\r\n" }
        return Array((text + "\r\n").utf8) + body
    }
}

/// One HTTP/1.1 answer, as far as clients look at it.
struct HTTPAnswer: Hashable, Sendable {
    var status: Int
    var contentType: String
    /// Header lines besides: names and values.
    var fields: [[String]] = []
    var body: [UInt8]

    init(
        status: Int = 200, contentType: String = "application/x-protobuf", fields: [[String]] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }

    init(head: [UInt8], body: [UInt8]) {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        contentType = lines.dropFirst().map(headerField).first { $0[0] == "content-type" }?[1] ?? ""
        self.body = body
    }

    var bytes: [UInt8] {
        let type = contentType.isEmpty ? "" : "content-type: \(contentType)\r\n"
        let more = fields.map { "\($0[0]): \($0[1])\r\n" }.joined()
        return Array("HTTP/1.1 \(status) Whatever\r\n\(type)\(more)content-length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// How many bytes follow an answer's head; nil if only the end of the connection tells.
    static func bodyLength(_ head: [UInt8]) -> Int? {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        let fields = lines.dropFirst().map(headerField)
        if let length = fields.first(where: { $0[0] == "content-length" }) { return Int(length[1]) }
        let isEmpty = lines.first?.contains(" 204") == true
        return isEmpty ? 0 : nil
    }
}

/// The name in lower case, and the value.
private func headerField(_ line: Substring) -> [String] {
    let parts = line.split(separator: ":", maxSplits: 1)
    let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
    return [parts.first?.lowercased() ?? "", String(value)]
}
