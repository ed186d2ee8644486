internal import SystemPackage

/// What the system knows about a file or folder.
package struct FileStatus: Hashable, Sendable {
    package let isRegular: Bool
    /// In bytes.
    package let size: Int64
    package let inode: UInt64
    package let device: UInt64
    /// The number of its names.
    package let links: Int
    /// The user who owns it.
    package let owner: UInt32
    /// Who may read, write and run it, such as 0600.
    package let permissions: UInt32
    /// When its content last changed, in seconds since 1970 and nanoseconds.
    package let modified: [Int]

    init(_ stat: Stat) {
        isRegular = stat.type == .regular
        size = stat.size
        inode = UInt64(stat.inode.rawValue)
        device = UInt64(stat.deviceID.rawValue)
        links = stat.linkCount
        owner = stat.userID.rawValue
        permissions = stat.permissions.rawValue & 0o7777
        modified = [stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec]
    }

    /// Whether it is the same file, whatever its content. An inode's number is not used again while the file is open.
    package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }

    /// Whether it is the same file with the content it had then.
    package func isUnchanged(since then: FileStatus) -> Bool {
        isSameFile(as: then) && size == then.size && modified == then.modified
    }
}
