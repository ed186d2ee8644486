import Glibc

/// The folder of one account on this machine: its store, the lock of whoever is connected, and settings.
struct Profile: Hashable, Sendable {
    let name: String
    let folder: String
    /// How to reach the server this time, whatever the settings say.
    var transport: TransportKind?

    func storePath(_ kind: StoreKind) -> String {
        switch kind {
        case .sqlite: folder + "/store.sqlite"
        case .files: folder + "/store"
        }
    }

    var leasePath: String { folder + "/sync.lock" }
    /// Where the profile was when it last talked to the server.
    var placePath: String { folder + "/place.json" }
    var settingsPath: String { folder + "/settings.json" }
    /// How far a recording has been played by the profile's commands.
    var rehearsalPath: String { folder + "/replay.json" }

    /// Finds the folder of a profile; it need not exist.
    ///
    /// - Parameter environment: `WAXWING_HOME`, `XDG_DATA_HOME` and `HOME` are looked at, in this order; empty counts as missing.
    /// - Throws: ``Failure`` where the name could lead out of the folder, or there is no home.
    static func locate(_ name: String, environment: (String) -> String?) throws(Failure) -> Profile {
        guard isValid(name: name) else {
            throw Failure(
                .usage,
                "a profile's name has 1 to 64 letters, digits, dots, hyphens and underscores, and no dot in front")
        }
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
            throw Failure(.profileUnusable, "there is no home folder", hint: "set WAXWING_HOME to a folder of your own")
        }
        return Profile(name: name, folder: root + "/" + name)
    }

    static func locate(_ options: ProfileOptions) throws(Failure) -> Profile {
        var profile = try locate(options.name) { variable in getenv(variable).map { String(cString: $0) } }
        profile.transport = options.transport
        return profile
    }

    /// Whether a name is one folder's, below the home of profiles.
    static func isValid(name: String) -> Bool {
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
    /// - Throws: ``Failure`` where that cannot be told.
    func exists() throws(Failure) -> Bool { try storeKind() != nil }

    /// The sort of store that is there; nil where there is none.
    ///
    /// - Throws: ``Failure`` where that cannot be told.
    func storeKind() throws(Failure) -> StoreKind? {
        for kind in StoreKind.allCases {
            var status = stat()
            if stat(storePath(kind), &status) == 0 { return kind }
            guard errno == ENOENT else { throw unusable(storePath(kind), errno) }
        }
        return nil
    }

    /// Makes the folder, with mode 0700, and those above it where they are missing.
    func prepare() throws(Failure) {
        try Self.makeFolder(folder)
        // What others may look into is closed to them, where it is ours.
        var status = stat()
        guard stat(folder, &status) == 0 else { throw unusable(folder, errno) }
        if status.st_mode & 0o077 != 0, chmod(folder, 0o700) != 0 { throw unusable(folder, errno) }
    }

    private static func makeFolder(_ path: String) throws(Failure) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw unusable(path, ENOENT) }
            try makeFolder(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw unusable(path, errno) }
        case let code: throw unusable(path, code)
        }
    }

    static func unusable(_ path: String, _ code: Int32) -> Failure {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            return Failure(.diskFull, "the disk of \(path) is full", hint: "make room, then try again")
        }
        return Failure(
            .profileUnusable, "the profile cannot be used: \(path): \(reason)",
            hint: "check the folder's owner and rights, or set WAXWING_HOME to a folder of your own")
    }

    private func unusable(_ path: String, _ code: Int32) -> Failure { Self.unusable(path, code) }
}
