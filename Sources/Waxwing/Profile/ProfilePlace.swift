import Files
import FoundationEssentials
import WaxwingClient
import WaxwingCore

/// Where a profile was when it last talked to the server: which file, on which machine.
///
/// A profile that finds itself elsewhere is a copy, or was restored from a backup. The keys it is about to use may have
/// been used already, by the original or by itself on a later day, and readers would drop what is sealed with them. So
/// it makes new keys before it sends anything.
struct ProfilePlace: Codable, Hashable {
    private static let machinePath = "/etc/machine-id"
    private static let longestMachine = 256

    /// Inodes of the profile's folder and of its store; a copy has others.
    var folder: UInt64
    var store: UInt64
    var kind: String
    /// The system's id of the machine; empty if it has none.
    var machine: String

    /// Where the store is now; nil if that cannot be determined.
    init?(_ profile: Profile) throws(AccountError) {
        guard let kind = try profile.storeKind() else { return nil }
        // If that cannot be told, the next command finds out.
        guard let above = try? FileSystem.status(of: profile.folder),
            let inside = try? FileSystem.status(of: profile.storePath(kind))
        else { return nil }
        folder = above.inode
        store = inside.inode
        self.kind = kind.rawValue
        // Without a readable machine id, the inodes are enough.
        let id = try? File(Self.machinePath, .readOnly).readToEnd(atMost: Self.longestMachine)
        machine = String(decoding: (id ?? []).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
    }

    /// Whether the profile was elsewhere before. A converted store is another file, but in the same folder.
    func isMoved(from before: ProfilePlace) -> Bool {
        folder != before.folder || machine != before.machine || kind == before.kind && store != before.store
    }

    /// Has new keys made if the profile was moved since it last talked to the server. Call it before talking to the
    /// server, with the lease.
    static func check(_ profile: Profile, _ client: Client) async throws {
        guard let here = try ProfilePlace(profile) else { return }
        let before: ProfilePlace? = try ProfileFile.load(profile.placePath)
        if before == here { return }
        if before.map({ here.isMoved(from: $0) }) == true { try await client.perform(.profileMoved) }
        try ProfileFile.replace(profile.placePath, by: here)
    }
}
