import Machine
import ArgumentParser
import Waxwing

extension StoreKind: ExpressibleByArgument {
    /// The kind of new profiles if the command line does not say: the one `WAXWING_STORE` names, else SQLite.
    static var wanted: StoreKind {
        get throws {
            guard let text = Machine.environment("WAXWING_STORE"), !text.isEmpty else { return .sqlite }
            guard let kind = StoreKind(rawValue: text) else {
                throw Failure(.usage, "WAXWING_STORE is neither sqlite nor files")
            }
            return kind
        }
    }
}

extension TransportKind {
    /// The kind to use: the one of the command line, else the one that `WAXWING_TRANSPORT` names, else the profile's
    /// own.
    static func wanted(_ profile: Profile, _ settings: ServerSettings) throws -> TransportKind {
        if let kind = profile.transport { return kind }
        guard let text = Machine.environment("WAXWING_TRANSPORT"), !text.isEmpty else {
            return settings.transport ?? .auto
        }
        guard let kind = TransportKind(text) else {
            throw Failure(.usage, "WAXWING_TRANSPORT is none of auto, sse, poll and replay:FILE")
        }
        return kind
    }
}

extension TransportKind: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public static var allValueStrings: [String] { ["auto", "sse", "poll", "replay:FILE"] }
}
