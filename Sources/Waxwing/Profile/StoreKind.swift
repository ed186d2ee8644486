/// The kinds of stores a profile can be kept in.
public enum StoreKind: String, CaseIterable, Sendable {
    /// One SQLite file.
    case sqlite
    /// A folder of text files.
    case files
}
