import ArgumentParser
import Glibc

/// How a profile reaches its server and hears of news.
enum TransportKind: Hashable, Sendable {
    /// A stream of events, and long-polling where something on the way holds it back.
    case auto
    /// A stream of events.
    case sse
    /// Long-polling.
    case poll
    /// Not at all: a recording answers in the server's place.
    case replay(path: String)

    private static let replayPrefix = "replay:"

    init?(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "sse": self = .sse
        case "poll": self = .poll
        default:
            guard text.hasPrefix(Self.replayPrefix), text.count > Self.replayPrefix.count else { return nil }
            self = .replay(path: String(text.dropFirst(Self.replayPrefix.count)))
        }
    }

    var text: String {
        switch self {
        case .auto: "auto"
        case .sse: "sse"
        case .poll: "poll"
        case .replay(let path): Self.replayPrefix + path
        }
    }

    /// The kind to use: the one of the command line, else the one that `WAXWING_TRANSPORT` names, else the profile's own.
    static func wanted(_ profile: Profile, _ settings: Settings) throws -> TransportKind {
        if let kind = profile.transport { return kind }
        guard let text = getenv("WAXWING_TRANSPORT").map({ String(cString: $0) }), !text.isEmpty else {
            return settings.transport ?? .auto
        }
        guard let kind = TransportKind(text) else {
            throw Failure(.usage, "WAXWING_TRANSPORT is none of auto, sse, poll and replay:FILE")
        }
        return kind
    }

    /// The same for a profile that may be used from another folder.
    ///
    /// - Throws: ``Failure`` where the recording is not there.
    func absolute() throws(Failure) -> TransportKind {
        guard case .replay(let path) = self else { return self }
        guard let resolved = realpath(path, nil) else {
            throw Failure(.usage, "the recording \(path) cannot be used: \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        return .replay(path: String(cString: resolved))
    }
}

extension TransportKind: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }

    static var allValueStrings: [String] { ["auto", "sse", "poll", "replay:FILE"] }
}

extension TransportKind: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let kind = TransportKind(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no kind of transport")
        }
        self = kind
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
