/// The limits of a store.
public enum FileStoreLimits {
    /// How long a commit waits for another process, in seconds.
    public static let lockSeconds = 30.0
    /// The size of recent records in the manifest, which every commit rewrites, in bytes.
    static let recentBytes = 32 << 10
    /// A longer record goes into a file at once.
    static let recentRecordBytes = 8 << 10
    /// The size of a file of rows, in bytes; a change of one of its records rewrites it.
    static let rowsBytesMax = 64 << 10
    /// A file that has become smaller than this is merged with its neighbour.
    static let rowsBytesMin = 16 << 10
    /// The size of files of rows kept in memory, in bytes on disk.
    static let cacheBytes = 4 << 20
    /// A larger manifest is not one of ours.
    static let manifestBytes = 64 << 20
    /// How often a read starts again because other processes commit faster than it reads.
    static let readAttempts = 1000
}
