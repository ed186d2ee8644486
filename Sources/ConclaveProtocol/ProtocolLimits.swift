/// Limits on what is read from a server's answers, each with its reason.
public enum ProtocolLimits {
    /// Rows of the log one request may ask for, as the protocol says.
    public static let pageLength = 500
    /// Request body in bytes: above it the server answers 413.
    public static let requestBody = 1 << 20
    /// Elements of all lists in one answer together. An empty element takes two bytes on the wire and two hundred in
    /// memory.
    public static let listElements = 100_000
    /// Events in one answer to a poll. Our server sends a few hundred.
    public static let polledEvents = 4_096
    /// Bytes of a cursor in the event feed.
    public static let eventCursor = 256
    /// Characters kept of a server's error message.
    public static let messageLength = 200
    /// UTF-8 bytes of a username or group name, as the protocol says.
    public static let nameLength = 64
    /// UTF-8 bytes of an alias, as the protocol says.
    public static let aliasLength = 64
    /// UTF-8 bytes of a password, as the protocol says.
    public static let passwordMinimum = 8
    /// Encoded length of a key package in bytes, as the protocol says.
    public static let keyPackage = 4...(16 << 10)
}
