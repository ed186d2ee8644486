import ArgumentParser
import Glibc

/// The sorts of stores a profile can be kept in.
enum StoreKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// One SQLite file.
    case sqlite
    /// A folder of text files.
    case files

    /// The sort of new profiles where the command line does not say: the one `WAXWING_STORE` names, else SQLite.
    static var wanted: StoreKind {
        get throws {
            guard let text = getenv("WAXWING_STORE").map({ String(cString: $0) }), !text.isEmpty else { return .sqlite }
            guard let kind = StoreKind(rawValue: text) else {
                throw Failure(.usage, "WAXWING_STORE is neither sqlite nor files")
            }
            return kind
        }
    }
}
