import ConclaveProtocol

/// The two endpoints that exist to carry a commit.
extension Transaction {
    /// A commit for the log, or with an empty commit only a fresh GroupInfo.
    func uploadCommit(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireUploadCommitRequest.self)
        let group = try name(mlsGroupID: request.mlsGroupID, of: groupForMember(call))
        if request.commitMessage.isEmpty {
            guard !request.groupInfo.isEmpty else { throw APIError.badRequest("neither a commit nor a GroupInfo") }
            try requireRoom(for: request.groupInfo.count, of: call.user)
            if let allowance = configuration.quotas.groupInfos { try take(1, of: allowance, by: call.user) }
            try refresh(groupInfo: request.groupInfo, of: group, by: call.user)
            return Answer()
        }
        try requireRoom(for: call.body.count, of: call.user)
        try takeCommit(request.commitMessage, groupInfo: request.groupInfo, in: group, of: call)
        try announce(.groupUpdate(of: group.id, .commit), to: try members(of: group.id, except: call.user))
        return Answer()
    }

    /// The commit by which a member of the roster enters the tree by themselves (RFC 9420 §12.4.3.2).
    func externalJoin(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireExternalJoinRequest.self)
        var group = try groupForMember(call)
        guard !request.commitMessage.isEmpty else { throw APIError.badRequest("the commit is empty") }
        guard try groupInfo(of: group.id) != nil else { throw APIError.badRequest("no GroupInfo is stored") }
        try requireRoom(for: call.body.count, of: call.user)
        group = try name(mlsGroupID: request.mlsGroupID, of: group)
        try takeCommit(
            request.commitMessage, groupInfo: .init(), in: group, from: call.user,
            through: .outside(user: call.user), contesting: call.contests)

        let wasAwaited = try exists(
            "SELECT 1 FROM member WHERE group_id = ? AND user_id = ? AND awaits_external_join = 1",
            [group.id.blob, call.user.blob])
        if wasAwaited {
            try execute(
                "UPDATE member SET awaits_external_join = 0 WHERE group_id = ? AND user_id = ?",
                [group.id.blob, call.user.blob])
            try announce(.groupUpdate(of: group.id, .commit), to: try members(of: group.id))
        } else {
            try announce(
                .identityReset(in: group.id, user: call.user), to: try members(of: group.id, except: call.user))
        }
        return Answer()
    }
}
