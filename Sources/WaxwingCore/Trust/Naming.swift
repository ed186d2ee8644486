import ConclaveProtocol
import MLS

/// Names come from the server. The first valid one is pinned to the user's id. If the server changes it later, people
/// are told, and what is shown stays the same until the person accepts it.
extension ClientCore {
    /// - Parameter alias: nil if nothing was said about it.
    mutating func nameCame(_ username: String, alias: String?, of id: ID, _ turn: inout Turn) throws {
        guard InputRules.problem(username: username) == nil else {
            noNameCame(of: id, &turn)
            return
        }
        let known = try turn.draft.user(id) ?? UserRecord()
        var user = known
        if user.name.isEmpty { user.username = username }
        if let alias { user.alias = InputRules.kept(alias: alias) }
        if user != known { turn.draft.put(user, for: id) }
        let claimed = try turn.draft.claimedName(of: id)
        if user.name == username {
            if claimed != nil { turn.draft.claim(nil, of: id) }
            return
        }
        // Our own name is the one with which we signed in.
        guard claimed != username, try account(turn).userID != id else { return }
        turn.draft.claim(username, of: id)
        turn.notice(.nameClaimed(user: id, name: username))
    }

    /// The server cannot name someone, or gives something that is not a name: they are still known, by their id.
    mutating func noNameCame(of id: ID, _ turn: inout Turn) {
        lanes.account.namesUnknown.insert(id)
        // A record that cannot be read is not overwritten.
        if (try? turn.draft.user(id)) == .some(nil) { turn.draft.put(UserRecord(), for: id) }
    }

    /// Asks for a user's name, unless it is known.
    mutating func wantName(of id: ID, _ turn: Turn) {
        guard !lanes.account.namesUnknown.contains(id), !lanes.account.namesWanted.contains(id) else { return }
        // A record that cannot be read is no answer: the name is asked for again.
        if let user = try? turn.draft.user(id), !user.name.isEmpty { return }
        lanes.account.namesWanted.append(id)
    }

    mutating func wantNames(in events: [SystemEvent], _ turn: Turn) {
        for event in events {
            wantName(of: event.actor, turn)
            wantName(of: event.subject, turn)
        }
    }

    /// The person accepts the name that the server now gives someone.
    ///
    /// - Parameter name: the one that was shown.
    func acceptName(_ name: String, of id: ID, _ turn: inout Turn) throws {
        guard try turn.draft.claimedName(of: id) == name, var user = try turn.draft.user(id) else {
            throw CoreError.notTheirName
        }
        user.username = name
        turn.draft.put(user, for: id)
        turn.draft.claim(nil, of: id)
    }

    /// The server was asked who has a name.
    ///
    /// - Returns: what speaks against taking its answer; nil if nothing does.
    func trouble(with info: UserInfo, askedFor username: String, _ turn: Turn) throws -> Trouble? {
        if info.username != username { return .otherUserNamed(asked: username) }
        if try account(turn).userID == info.user { return .namedOurselves }
        guard let known = try turn.draft.user(info.user)?.name, !known.isEmpty, known != username else { return nil }
        return .nameOfAnother(asked: username, user: info.user)
    }

    /// The user a command means. Names that are not known here are looked up at the server when the intent is carried
    /// out.
    func whom(_ text: String, _ turn: Turn) throws -> (username: String, user: ID?) {
        if let user = try turn.draft.user(named: text) { return (user.record.name, user.id) }
        if ID(text: text) != nil || text.contains(ShownNames.separator) {
            throw CoreError.unknownUser
        }
        if let problem = InputRules.problem(username: text) { throw CoreError.invalidInput(problem) }
        return (text, nil)
    }
}

extension UserRecord {
    /// The username; empty if it is not known, or breaks the rule for names.
    public var name: String { InputRules.problem(username: username) == nil ? username : "" }
}

extension Draft {
    func users() throws(StoreError) -> [ID: UserRecord] {
        var users: [ID: UserRecord] = [:]
        for stored in try page(.user, prefix: []) {
            if let id = ID(stored.key) { users[id] = try UserRecord(stored: stored.value) }
        }
        return users
    }

    func shownNames() throws(StoreError) -> ShownNames { ShownNames(try users().mapValues(\.username)) }

    /// The name that the server now gives someone, if it is not the pinned one.
    func claimedName(of user: ID) throws(StoreError) -> String? {
        try value(.account, Keys.claimedName(user)).map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func claim(_ name: String?, of user: ID) {
        if let name {
            put(.account, Keys.claimedName(user), Array(name.utf8))
        } else {
            delete(.account, Keys.claimedName(user))
        }
    }

    /// Everyone whom a person may mean: by the pinned name, by name and the beginning of the id, by the id, by its
    /// beginning if they have no name, or else by the name that the server now gives them.
    private func users(meantBy text: String) throws(StoreError) -> [ID: UserRecord] {
        var users = try users()
        for group in try groups() {
            for leaf in try room(group.id)?.leaves ?? [] where users[leaf.user] == nil {
                users[leaf.user] = UserRecord()
            }
        }
        if let id = ID(text: text) { return users.filter { $0.key == id } }
        let direct = users.filter { id, user in
            user.name.isEmpty ? text.utf8.count == 8 && id.description.hasPrefix(text) : user.name == text
        }
        if !direct.isEmpty { return direct }
        var claims: [ID: String] = [:]
        for id in users.keys { claims[id] = try claimedName(of: id) }
        guard let cut = text.lastIndex(of: ShownNames.separator) else {
            return users.filter { claims[$0.key] == text }
        }
        let (name, beginning) = (text[..<cut], text[text.index(after: cut)...])
        return users.filter { id, user in
            !name.isEmpty && !beginning.isEmpty && id.description.hasPrefix(beginning)
                && (user.name == name || claims[id].map { $0 == name } ?? false)
        }
    }

    /// The one user whom a person may mean; nil if no one fits.
    ///
    /// - Throws: ``CoreError/ambiguousUser(forms:)`` if several do.
    func user(named text: String) throws -> (id: ID, record: UserRecord)? {
        let found = try users(meantBy: text)
        if let (id, record) = found.first, found.count == 1 { return (id, record) }
        if found.isEmpty { return nil }
        let shown = try shownNames()
        throw CoreError.ambiguousUser(forms: found.keys.sorted().map { shown.name(of: $0) })
    }
}

extension AccountReader {
    /// Everyone who is known here.
    public func users() throws(StoreError) -> [ID: UserRecord] { try draft.users() }

    /// The user whom a person means: by name, by name and the beginning of the id (``ShownNames``), or by id. Takes
    /// time in proportion to the number of users.
    /// - Throws: ``StoreError``; ``CoreError/ambiguousUser(forms:)`` if several have the name.
    /// - Throws: ``StoreError``; ``CoreError`` `invalidInput` if several go by the name.
    public func user(named text: String) throws -> (id: ID, record: UserRecord)? { try draft.user(named: text) }

    /// The name that the server now gives a user, if it is not the pinned one.
    public func claimedName(of user: ID) throws(StoreError) -> String? { try draft.claimedName(of: user) }
}
