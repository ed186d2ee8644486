import Waxwing

/// Warnings about an address whose traffic can be read on the way.
extension ServerAddress {
    /// Ensures that no one sends a password in plaintext without having asked for it.
    ///
    /// - Parameter isKnown: whether the profile has talked to this server before. It may go on; its owner is told once.
    /// - Throws: ``Failure`` `usage` for an http address of another machine that no one allowed.
    static func check(_ address: String, _ settings: inout ServerSettings, isKnown: Bool) throws(Failure) {
        guard isExposed(address) else { return }
        if settings.insecureHTTP == true {
            Console.note(
                "note: with http://, your password and who you talk to can be read on the way; messages stay encrypted")
            return
        }
        guard isKnown else { throw Failure(AccountError.exposedServerAddress(address)) }
        tellOnce(address, &settings)
    }

    /// Tells the owner of an existing profile, once, that its traffic can be read on the way, and how to allow that.
    ///
    /// - Returns: whether the settings changed.
    @discardableResult
    static func tellOnce(_ address: String, _ settings: inout ServerSettings) -> Bool {
        guard isExposed(address), settings.insecureHTTP == nil else { return false }
        Console.note("note: this profile talks to \(address) in the clear: who you talk to can be read on the way")
        Console.note("  to allow it, run `waxwing login --insecure-http`; this note is not shown again")
        settings.insecureHTTP = false
        return true
    }
}
