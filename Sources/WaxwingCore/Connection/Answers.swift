import ConclaveProtocol

extension ClientCore {
    /// Hands the outcome of a request to whoever made it.
    mutating func answered(_ id: CallID, _ result: Result<APIResponse, TransportError>, _ turn: inout Turn) throws {
        // A disconnect has forgotten it: the log will tell what became of it.
        guard let call = lanes.calls.removeValue(forKey: id) else { return }
        if let group = call.group { lanes[group].busy = false } else { lanes.account.busy = false }

        switch result {
        case .success(let response):
            hearTheTime(response, &turn)
            if let refusal = response.refusal, refusal.serverTrouble != nil || makesNoSense(refusal, call) {
                try askAgain(call, because: refusal, &turn)
                try linkFailed(TransportError(refusal), &turn)
            } else {
                try read(response, of: call, &turn)
            }
        case .failure(let error):
            if case .page(_, let request) = call, error.cause == .answerTooLarge {
                pageWasTooLarge(request, Trouble(error), &turn)
                return
            }
            if case .page(_, let request) = call, error.isTornAnswer { pageWasTorn(request) }
            if case .operation(_, let group, let order) = call {
                try noAnswer(error, group: group, order: order, &turn)
            }
            try linkFailed(error, &turn)
        }
    }

    /// Whether this is an answer that no server gives, since every server answers this request, and refuses it only
    /// with a code: something else must have answered instead.
    private func makesNoSense(_ refusal: ProtocolError, _ call: PendingCall) -> Bool {
        guard case .plain(401...407) = refusal.kind else { return false }
        switch call {
        case .groups, .invites, .welcomes, .page: return true
        default: return false
        }
    }

    /// The server, or something in front of it, is in trouble: the request is left to do.
    private mutating func askAgain(_ call: PendingCall, because error: ProtocolError, _ turn: inout Turn) throws {
        switch call {
        case .groups: lanes.account.groupsStale = true
        case .invites: lanes.account.invitesStale = true
        case .welcomes, .acceptWelcome: lanes.account.welcomesStale = true
        case .resetKeyPackages, .uploadKeyPackages: lanes.account.keyPackagesUnchecked = true
        case .userName(_, let user): lanes.account.namesWanted.append(user)
        case .groupInvites(_, let group): lanes.account.invitesToCheck.append(group)
        case .page(_, let request): lanes[request.group].overlap = lanes[request.group].overlap || request.overlap
        case .operation(_, let group, let order):
            // A 5xx may come from something in front of a server that has done what was asked: the log tells.
            lanes[group].needsFetch = true
            lanes[group].acceptAnswer = nil
            guard var row = try turn.draft.outboxRow(group, order: order), !row.isFailed else { return }
            row.state = error.serverTrouble == .notOurs ? .unconfirmed : .queued
            row.trouble = Trouble(error)
            turn.draft.put(row)
        }
    }

    /// Notes what a server's answer says about our clock. A web page in its place says nothing.
    private mutating func hearTheTime(_ response: APIResponse, _ turn: inout Turn) {
        let isServers =
            response.contentType.isEmpty
            ? response.body.isEmpty : response.contentType.hasPrefix("application/x-protobuf")
        guard isServers, let date = response.date else { return }
        if let notice = serverClock.hears(date, at: turn.moment) { turn.notice(notice) }
    }

    private mutating func read(_ response: APIResponse, of call: PendingCall, _ turn: inout Turn) throws {
        switch call {
        case .groups(let call, let round):
            guard let groups = try accountAnswer(call, response, &turn) else {
                lanes.account.groupsStale = true
                return
            }
            lanes.account.roundDone = round
            try rosterCame(groups, &turn)
        case .invites(let call):
            guard let invites = try accountAnswer(call, response, &turn) else {
                lanes.account.invitesStale = true
                return
            }
            try invitesCame(invites, &turn)
        case .welcomes(let call):
            guard let welcomes = try accountAnswer(call, response, &turn) else {
                lanes.account.welcomesStale = true
                return
            }
            for welcome in welcomes { try join(by: welcome, &turn) }
            try comeBackWithoutWelcome(&turn)
        case .acceptWelcome(let call):
            // A second accept is answered with 404, which means "already done".
            _ = try accountAnswer(call, response, &turn)
        case .resetKeyPackages(let call):
            // If the server does not know the request, it drops those that are too many, and the fresh last-resort one
            // takes the place of the old.
            let isDone = try accountAnswer(call, response, &turn) != nil
            lanes.account.keyPackagesReset = isDone || (400..<500).contains(response.status)
        case .uploadKeyPackages(let call, let references, let fullSet):
            guard try accountAnswer(call, response, &turn) != nil else { return }
            try keyPackagesUploaded(references, fullSet: fullSet, &turn)
        case .userName(let call, let user):
            if let info = try accountAnswer(call, response, &turn) {
                try nameCame(info.username, alias: info.alias, of: user, &turn)
            } else {
                noNameCame(of: user, &turn)
            }
        case .groupInvites(let call, let group):
            guard let invites = try accountAnswer(call, response, &turn) else { return }
            try escrowsAre(invites, in: group, &turn)
        case .page(let call, let request):
            do {
                let rows = try call.decode(response)
                try answerCame(&turn)
                try pageCame(rows, request, &turn)
            } catch let error as ProtocolError {
                try pageRefused(error, request, call.request, &turn)
            }
        case .operation(let operation, let group, let order):
            try answerCameFor(operation, response, group: group, order: order, &turn)
        }
    }

    /// The decoded answer to a request of the account's lane; nil if it was an error, which has been dealt with.
    private mutating func accountAnswer<R>(_ call: Call<R>, _ response: APIResponse, _ turn: inout Turn) throws -> R? {
        let answer: R
        do throws(ProtocolError) {
            answer = try call.decode(response)
        } catch {
            if try dealtWith(error, call.request, &turn) { return nil }
            if error.code != nil { try answerCame(&turn) }
            if error.code == .notFound { return nil }
            // A refusal with a code makes sense, even if nothing follows from it.
            if error.code == nil { turn.notice(.unusableAnswer(Trouble(error))) }
            // Whatever the server's reason is: asking again at once would not help.
            lanes.account.failures += 1
            lanes.account.notBefore = turn.deadline(
                afterMilliseconds: retryDelay(failures: lanes.account.failures))
            return nil
        }
        try answerCame(&turn)
        lanes.account.failures = 0
        return answer
    }

    /// Ends the session if that is what the error says, whatever the request was. Returns whether it did.
    mutating func dealtWith(_ error: ProtocolError, _ request: APIRequest, _ turn: inout Turn) throws -> Bool {
        guard error.isSessionOver else { return false }
        try sessionIsOver(request.token, &turn)
        return true
    }

    /// An event only says that there is something to fetch.
    mutating func hear(_ hint: ServerHint, _ turn: inout Turn) throws {
        switch hint {
        case .newMessage(let group, let sequence, _):
            guard let record = try localGroup(group, turn) else { return }
            if sequence <= record.cursor {
                // Either this is old news, or the server has restarted its numbering: the row at the cursor will tell.
                lanes[record.id].overlap = true
            } else {
                lanes[record.id].needsFetch = true
            }
        case .groupUpdate(let group, let kind):
            lanes.account.groupsStale = true
            if kind != .settings, let record = try localGroup(group, turn) { lanes[record.id].overlap = true }
        case .memberRemoved(let group, _), .identityReset(let group, _):
            lanes.account.groupsStale = true
            if let record = try localGroup(group, turn) { lanes[record.id].overlap = true }
        case .welcome:
            lanes.account.welcomesStale = true
            lanes.account.groupsStale = true
        case .inviteReceived, .inviteCancelled:
            lanes.account.invitesStale = true
        case .inviteDeclined(let group, _):
            guard let record = try localGroup(group, turn) else { return }
            if !lanes.account.invitesToCheck.contains(record.id) { lanes.account.invitesToCheck.append(record.id) }
        case .groupDeleted(let group):
            lanes.account.groupsStale = true
            guard let record = try localGroup(group, turn) else { return }
            lanes[record.id].isDeleted = true
            lanes[record.id].needsFetch = true
        }
    }

    /// Our record of a group, by the server's id.
    mutating func localGroup(_ serverID: ID, _ turn: Turn) throws -> GroupRecord? {
        if let id = lanes.serverIDs[serverID] { return try turn.draft.group(id) }
        if let record = try turn.draft.group(serverID), record.serverID == serverID { return record }
        for record in try turn.draft.groups() {
            if let known = record.serverID { lanes.serverIDs[known] = record.id }
        }
        guard let id = lanes.serverIDs[serverID] else { return nil }
        return try turn.draft.group(id)
    }
}
