import ConclaveProtocol

/// What a user has on the server. Triggers count the bytes, whichever statement writes or deletes them.
extension Transaction {
    /// Counts a request that writes against the caller's bytes a minute.
    ///
    /// - Throws: 429.
    func takeBytes(of call: ServerCall) throws {
        if let bytes = configuration.quotas.bytes { try take(Int64(call.body.count), of: bytes, by: call.user) }
    }

    /// - Throws: 413/302 if the user may not keep so many bytes more.
    func requireRoom(for bytes: Int, of user: ID) throws {
        guard let most = configuration.quotas.bytesKept else { return }
        let kept = try bytesKept(by: user)
        guard kept + Int64(bytes) <= most else {
            throw APIError.overQuota("the server keeps at most \(most) bytes of one user, and has \(kept) of yours")
        }
    }

    func bytesKept(by user: ID) throws -> Int64 {
        try row("SELECT bytes_kept FROM usage WHERE user_id = ?", [user.blob])?[0] ?? 0
    }

    /// - Throws: 413/302.
    func requireRoomForGroup(of user: ID) throws {
        guard let most = configuration.quotas.groups else { return }
        let count = try count("SELECT count(*) FROM member WHERE user_id = ?", [user.blob])
        guard count < most else { throw APIError.overQuota("one user is in at most \(most) groups on this server") }
    }

    /// - Throws: 413/302.
    func requireRoomForInvite(from inviter: ID, to invitee: ID) throws {
        if let most = configuration.quotas.invitesSent {
            let count = try count("SELECT count(*) FROM invite WHERE inviter_id = ?", [inviter.blob])
            guard count < most else {
                throw APIError.overQuota("at most \(most) invites of one user wait for an answer; cancel some")
            }
        }
        guard let most = configuration.quotas.invitesReceived else { return }
        let mostOfOne = max(1, most / ServerLimits.invitersToFill)
        let ofOne = try count(
            "SELECT count(*) FROM invite WHERE invitee_id = ? AND inviter_id = ?", [invitee.blob, inviter.blob])
        guard ofOne < mostOfOne else {
            throw APIError.overQuota("at most \(mostOfOne) invites of one user wait for the same invitee")
        }
        let all = try count("SELECT count(*) FROM invite WHERE invitee_id = ?", [invitee.blob])
        guard all < most else {
            throw APIError.overQuota("\(most) invites wait for this user already; they have to answer some first")
        }
    }
}
