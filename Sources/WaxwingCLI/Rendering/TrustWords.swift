import WaxwingCore

extension UserRecord {
    /// How far the user's key is trusted, in one word: verified, seen, changed or unknown.
    var trust: String {
        if fingerprint.isEmpty { return "unknown" }
        if !changedFingerprint.isEmpty { return "changed" }
        return verified ? "verified" : "seen"
    }
}
