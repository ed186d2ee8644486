import Files

/// The folder of one account on this machine: its store, the lock of the connected process, and settings.
public struct Profile: Hashable, Sendable {
    public let name: String
    /// An absolute path, or one relative to the working folder.
    public let folder: String
    /// How to reach the server this time, in place of the settings.
    public var transport: TransportKind?

    /// The profile in this folder, which need not exist.
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

    /// Finds the folder of a profile, which need not exist.
    ///
    /// - Parameter environment: tried in this order: `WAXWING_HOME`, `XDG_DATA_HOME` and `HOME`; empty counts as
    ///   missing.
    /// - Throws: ``AccountError`` `invalidProfileName` if the name could lead out of the home folder, or `noHome`.
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
            // The XDG base directory specification says to ignore relative paths.
            root = data + "/waxwing"
        } else if let home = folder("HOME") {
            root = home + "/.local/share/waxwing"
        } else {
            throw .noHome
        }
        return Profile(name: name, folder: root + "/" + name)
    }

    /// Whether a name is that of a single folder below the home of profiles.
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

    /// Whether someone has ever logged in here.
    ///
    /// - Throws: ``AccountError`` `fileUnusable` if that cannot be told.
    public func exists() throws(AccountError) -> Bool { try storeKind() != nil }

    /// The kind of the existing store; nil if there is none.
    ///
    /// - Throws: ``AccountError`` `fileUnusable` if that cannot be told.
    package func storeKind() throws(AccountError) -> StoreKind? {
        do throws(FileError) {
            for kind in StoreKind.allCases where try FileSystem.status(of: storePath(kind)) != nil { return kind }
            return nil
        } catch {
            throw AccountError(error)
        }
    }

    /// Makes the folder, with mode 0700, and missing folders above it.
    package func prepare() throws(AccountError) {
        do throws(FileError) {
            try FileSystem.makeFolders(folder)
            // If the folder is ours, close it to other users.
            if let status = try FileSystem.status(of: folder), status.permissions & 0o077 != 0 {
                try FileSystem.setPermissions(0o700, of: folder)
            }
        } catch {
            throw AccountError(error)
        }
    }
}
