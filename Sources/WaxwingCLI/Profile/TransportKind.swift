import ArgumentParser
import Glibc

/// How a profile hears of news.
enum TransportKind: String, CaseIterable, Codable, ExpressibleByArgument, Sendable {
    /// A stream of events, and long-polling where something on the way holds it back.
    case auto
    /// A stream of events.
    case sse
    /// Long-polling.
    case poll

    /// The kind to use: the one that `WAXWING_TRANSPORT` names, else the profile's own.
    static func wanted(_ settings: Settings) throws -> TransportKind {
        guard let text = getenv("WAXWING_TRANSPORT").map({ String(cString: $0) }), !text.isEmpty else {
            return settings.transport ?? .auto
        }
        guard let kind = TransportKind(rawValue: text) else {
            throw Failure(.usage, "WAXWING_TRANSPORT is none of auto, sse and poll")
        }
        return kind
    }
}
