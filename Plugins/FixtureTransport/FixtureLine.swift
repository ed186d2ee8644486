import FoundationEssentials

/// One line of a fixture: a JSON object.
///
/// Which members a line has depends on its kind; the article FixtureFormat describes them. Lines are in the order in
/// which things happened from the client's point of view, which is the order that a replay repeats.
struct FixtureLine: Codable, Hashable, Sendable {
    /// The kinds of lines.
    enum Kind: String, Codable, Sendable {
        /// The first line of every fixture.
        case header
        /// The beginning of a command line, and its end.
        case command, exit
        /// What it read: the clock, random numbers, a password, standard input.
        case clock, entropy, password, input
        /// A request, and its outcome.
        case request, answer, failure
        /// An event on the feed that a request opened; the end of the feed.
        case event, feedEnd
        /// Time passed; the client was asked to stop.
        case wake, stop
    }

    /// Counts from 1.
    var line = 0
    var kind: Kind

    // header
    var format: Int?
    var program: String?
    /// Whether it contains the random numbers, from which every key follows.
    var entropy: Bool?
    var note: String?

    // command, exit
    var arguments: [String]?
    var code: Int32?

    // clock, in milliseconds since 1970, and since which start of the machine; entropy, input: the bytes; password: its
    // placeholder
    var milliseconds: UInt64?
    var uptime: UInt64?
    var boot: UInt32?
    var bytes: Data?
    var text: String?

    // request, and what belongs to it: a number that counts from 1 in each command
    var id: Int?
    var method: String?
    var path: String?
    var query: [[String]]?
    /// A placeholder.
    var token: String?
    var key: String?
    var contests: [UInt64]?
    var status: Int?
    var type: String?
    /// The headers Retry-After, as seconds or as a moment, and Date; moments in seconds since 1970.
    var retryAfter: UInt64?
    var retryAt: UInt64?
    var date: UInt64?
    var body: Data?
    /// The body again for people, as the JSON form of its protobuf message. Never read.
    var view: JSONValue?
    var outcome: String?
    var cause: String?
    var reason: String?
    /// opened, lagged, or event: then `frame` is the data of the server-sent event.
    var event: String?
    var frame: String?

    init(_ kind: Kind) { self.kind = kind }

    /// Whether it is the same in a replay: neither its position nor what is only for people counts.
    func matches(_ other: FixtureLine) -> Bool {
        var (a, b) = (self, other)
        a.line = 0
        b.line = 0
        a.view = nil
        b.view = nil
        return a == b
    }

    var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { return [] }
        return Array(data)
    }

    init(decoding text: [UInt8]) throws {
        self = try JSONDecoder().decode(FixtureLine.self, from: Data(text))
    }
}
