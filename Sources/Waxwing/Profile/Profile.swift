import Glibc

/// The folder of one account on this machine: its store, the lock of whoever is connected, and settings.
public struct Profile: Hashable, Sendable {
    public let name: String
    /// An absolute path, or one from the working folder.
    public let folder: String
    /// How to reach the server this time, whatever the settings say.
    public var transport: TransportKind?

    /// The profile that lies, or will lie, in this folder.
    public init(folder: String) {
        self.init(name: folder.split(separator: "/").last.map(String.init) ?? folder, folder: folder)
    }

    package init(name: String, folder: String) {
        self.name = name
        self.folder = folder
    }

    package func storePath(_ kind: StoreKind) -> String {
        switch kind {
        case .sqlite: folder + "/store.sqlite"
        case .files: folder + "/store"
        }
    }

    package var leasePath: String { folder + "/sync.lock" }
    /// Where the profile was when it last talked to the server.
    var placePath: String { folder + "/place.json" }
    package var settingsPath: String { folder + "/settings.json" }
    /// How far a recording has been played by the profile's commands.
    package var rehearsalPath: String { folder + "/replay.json" }

    /// Finds the folder of a profile; it need not exist.
    ///
    /// - Parameter environment: `WAXWING_HOME`, `XDG_DATA_HOME` and `HOME` are looked at, in this order; empty counts as missing.
    /// - Throws: ``AccountError`` `invalidProfileName` if the name could lead out of the folder, `noHome`.
    public static func locate(_ name: String, environment: (String) -> String?) throws(AccountError) -> Profile {
        guard isValid(name: name) else { throw .invalidProfileName }
        func folder(_ variable: String) -> String? {
            guard let value = environment(variable), !value.isEmpty else { return nil }
            return value.count > 1 && value.hasSuffix("/") ? String(value.dropLast()) : value
        }
        let root: String
        if let own = folder("WAXWING_HOME") {
            root = own
        } else if let data = folder("XDG_DATA_HOME"), data.hasPrefix("/") {
            // The XDG base directory specification wants relative paths ignored.
            root = data + "/waxwing"
        } else if let home = folder("HOME") {
            root = home + "/.local/share/waxwing"
        } else {
            throw .noHome
        }
        return Profile(name: name, folder: root + "/" + name)
    }

    /// Whether a name is one folder's, below the home of profiles.
    package static func isValid(name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return allowed && (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
    }

    /// Whether somebody has logged in here at some time.
    ///
    /// - Throws: ``AccountError`` `fileUnusable` if that cannot be told.
    public func exists() throws(AccountError) -> Bool { try storeKind() != nil }

    /// The sort of store that is there; nil where there is none.
    ///
    /// - Throws: ``AccountError`` `fileUnusable` if that cannot be told.
    package func storeKind() throws(AccountError) -> StoreKind? {
        for kind in StoreKind.allCases {
            var status = stat()
            if stat(storePath(kind), &status) == 0 { return kind }
            guard errno == ENOENT else { throw .fileUnusable(path: storePath(kind), systemError: errno) }
        }
        return nil
    }

    /// Makes the folder, with mode 0700, and those above it where they are missing.
    package func prepare() throws(AccountError) {
        try Self.makeFolder(folder)
        // What others may look into is closed to them, where it is ours.
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .fileUnusable(path: folder, systemError: errno) }
        if status.st_mode & 0o077 != 0, chmod(folder, 0o700) != 0 {
            throw .fileUnusable(path: folder, systemError: errno)
        }
    }

    private static func makeFolder(_ path: String) throws(AccountError) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
                throw .fileUnusable(path: path, systemError: ENOENT)
            }
            try makeFolder(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw .fileUnusable(path: path, systemError: errno)
            }
        case let code: throw .fileUnusable(path: path, systemError: code)
        }
    }
}
