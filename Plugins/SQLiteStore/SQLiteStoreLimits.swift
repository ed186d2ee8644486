/// How long to wait.
public enum SQLiteStoreLimits {
    /// How long a commit or a read waits for other processes before it fails, in seconds.
    public static let busySeconds = 30.0
    /// How long a finished commit waits for readers to release old pages, in seconds.
    public static let eraseSeconds = 1.0
}
