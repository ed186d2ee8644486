import ConclaveProtocol
import WaxwingCore

/// Finds what people name on the command line among what is known here.
extension AccountReader {
    /// The one group called `name`; an open one is preferred to those that are closed.
    ///
    /// - Throws: ``Failure`` if there is none, or more than one.
    func theGroup(_ name: String) throws -> GroupRecord {
        guard try account() != nil else { throw Failure.notLoggedIn }
        let found = try groups(named: name)
        let open = found.filter(\.isOpen)
        // On the server a name belongs to one group: a group still to be created under it will be refused.
        let made = open.filter { $0.status != .creating }
        let candidates = open.isEmpty ? found : made.isEmpty ? open : made
        guard let group = candidates.last else {
            throw Failure(
                .unknownName, "there is no group named \(name.onOneLine) here",
                hint: "`waxwing group list` shows your groups; `waxwing sync` fetches new ones")
        }
        guard candidates.count == 1 || !group.isOpen else {
            let ids = candidates.map(\.id.description).joined(separator: ", ")
            throw Failure(.unknownName, "several groups are named \(name.onOneLine)", hint: "use its id: \(ids)")
        }
        return group
    }

    /// The one invite with this id or this group's name.
    ///
    /// - Throws: ``Failure`` if there is none, or more than one.
    func theInvite(_ name: String) throws -> InviteRecord {
        guard try account() != nil else { throw Failure.notLoggedIn }
        let all = try invites()
        let exact = all.filter { $0.id.description == name || $0.groupName == name }
        let candidates = exact.isEmpty ? all.filter { $0.groupAlias == name } : exact
        guard let invite = candidates.first else {
            let isMember = try groups(named: name).contains { $0.status == .active }
            throw Failure(
                .unknownName, "there is no invite to \(name.onOneLine) here",
                hint: isMember
                    ? "you are already a member of it" : "`waxwing sync` fetches invites, `waxwing invites` shows them")
        }
        guard candidates.count == 1 else {
            let ids = candidates.map(\.id.description).joined(separator: ", ")
            throw Failure(.unknownName, "several invites match", hint: "use its id: \(ids)")
        }
        return invite
    }

    /// A user who is known here: by name, by name and the beginning of the id, or by id.
    ///
    /// - Throws: ``Failure`` if there is none; `CoreError` if there are several.
    func theUser(_ username: String) throws -> (id: ID, record: UserRecord) {
        guard try account() != nil else { throw Failure.notLoggedIn }
        if let user = try user(named: username) { return user }
        throw Failure(
            .unknownName, "no one named \(username.onOneLine) is known here",
            hint: "names are learnt from the groups you share; `waxwing sync` fetches them")
    }
}

extension GroupRecord {
    /// The id that members share: the server's, or our own until the server knows the group.
    var shownID: String { (serverID ?? id).description }

    /// The group's name in output.
    var shownName: String {
        let text = name.isEmpty ? alias : name
        return text.isEmpty ? String(id.description.prefix(8)) : text.onOneLine
    }

    var shownStatus: String {
        switch status {
        case .creating: "being created"
        case .active: "active"
        case .keyless: "without keys"
        case .removed: "removed"
        case .left: "left"
        case .deleted: serverID == nil ? "never created" : "deleted"
        case .imported: "from an archive"
        }
    }
}
