/// Every endpoint of the protocol, in the order of its chapters; `events/poll` is our own.
enum Routes {
    static let prefix = "api/v1/"
    static let all = accounts + keyPackages + groups + log + invites + membership

    private static let accounts = [
        Route(.post, "register", .register),
        Route(.post, "login", .login),
        Route(.post, "logout", .write { try $0.logout($1) }),
        Route(.get, "me", .read { try $0.me($1) }),
        Route(.patch, "me", .write { try $0.updateProfile($1) }),
        Route(.post, "change-password", .changePassword),
        Route(.post, "reset-account", .write { try $0.resetAccount($1) }),
        Route(.post, "delete-account", .deleteAccount),
        Route(.get, "users/{name}", .read { try $0.userByName($1) }),
        Route(.get, "users/by-id/{id}", .read { try $0.userByID($1) }),
        Route(.get, "events", .events),
        Route(.get, "events/poll", .pollEvents),
    ]

    private static let keyPackages = [
        Route(.post, "key-packages", .write { try $0.uploadKeyPackages($1) }),
        // Consumes what it returns.
        Route(.get, "key-packages/{id}", .write { try $0.getKeyPackage($1) }),
    ]

    private static let groups = [
        Route(.post, "groups", .write { try $0.createGroup($1) }),
        Route(.get, "groups", .readLong { try $0.listGroups($1) }),
        Route(.get, "groups/public", .readLong { try $0.listPublicGroups($1) }),
        Route(.patch, "groups/{id}", .write { try $0.updateGroup($1) }),
        Route(.post, "groups/{id}/delete", .write { try $0.deleteGroup($1) }),
        Route(.get, "groups/{id}/group-info", .read { try $0.getGroupInfo($1) }),
        Route(.get, "groups/{id}/retention", .read { try $0.getRetention($1) }),
        Route(.post, "groups/{id}/join", .writeUnkeyed { try $0.joinPublicGroup($1) }),
    ]

    private static let log = [
        Route(.post, "groups/{id}/messages", .write { try $0.sendMessage($1) }),
        Route(.get, "groups/{id}/messages", .messages),
        Route(.post, "groups/{id}/commit", .write { try $0.uploadCommit($1) }),
        Route(.post, "groups/{id}/external-join", .write { try $0.externalJoin($1) }),
    ]

    private static let invites = [
        Route(.post, "groups/{id}/invite", .write { try $0.takeKeyPackages($1) }),
        Route(.post, "groups/{id}/escrow-invite", .write { try $0.escrowInvite($1) }),
        Route(.get, "groups/{id}/invites", .readLong { try $0.listGroupInvites($1) }),
        Route(.post, "groups/{id}/cancel-invite", .write { try $0.cancelInvite($1) }),
        Route(.get, "invites", .readLong { try $0.listInvites($1) }),
        Route(.post, "invites/{id}/accept", .write { try $0.acceptInvite($1) }),
        Route(.post, "invites/{id}/decline", .write { try $0.declineInvite($1) }),
        Route(.get, "welcomes", .readLong { try $0.listWelcomes($1) }),
        Route(.post, "welcomes/{id}/accept", .write { try $0.acceptWelcome($1) }),
    ]

    private static let membership = [
        Route(.post, "groups/{id}/remove", .write { try $0.removeMember($1) }),
        Route(.post, "groups/{id}/leave", .write { try $0.leaveGroup($1) }),
        Route(.post, "groups/{id}/promote", .write { try $0.promote($1) }),
        Route(.post, "groups/{id}/demote", .write { try $0.demote($1) }),
        Route(.get, "groups/{id}/admins", .read { try $0.listAdmins($1) }),
        Route(.post, "groups/{id}/ban", .write { try $0.ban($1) }),
        Route(.post, "groups/{id}/unban", .write { try $0.unban($1) }),
        Route(.get, "groups/{id}/banned", .read { try $0.listBanned($1) }),
    ]
}
