import Files

/// How a profile reaches its server and receives news.
public enum TransportKind: Hashable, Sendable {
    /// A stream of events, or long-polling if something on the way holds the stream back.
    case auto
    /// A stream of events.
    case sse
    /// Long-polling.
    case poll
    /// No server: a recording answers in its place.
    case replay(path: String)

    private static let replayPrefix = "replay:"

    /// From `auto`, `sse`, `poll` or `replay:FILE`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "sse": self = .sse
        case "poll": self = .poll
        default:
            guard text.hasPrefix(Self.replayPrefix), text.count > Self.replayPrefix.count else { return nil }
            self = .replay(path: String(text.dropFirst(Self.replayPrefix.count)))
        }
    }

    public var text: String {
        switch self {
        case .auto: "auto"
        case .sse: "sse"
        case .poll: "poll"
        case .replay(let path): Self.replayPrefix + path
        }
    }

    /// The same for a profile that may be used from another working folder.
    ///
    /// - Throws: ``AccountError`` `pathUnusable` if the recording is not there.
    package func absolute() throws(AccountError) -> TransportKind {
        guard case .replay(let path) = self else { return self }
        do throws(FileError) {
            return .replay(path: try FileSystem.realPath(path))
        } catch {
            throw .pathUnusable(path: path, systemError: error.code.rawValue)
        }
    }
}

extension TransportKind: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let kind = TransportKind(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no kind of transport")
        }
        self = kind
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
