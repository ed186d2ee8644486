import TestFolders

extension TemporaryFolder {
    /// The store's file, two folders deep.
    var store: String { path + "/profile/data/store.db" }
}
