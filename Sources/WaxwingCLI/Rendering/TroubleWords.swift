import ConclaveProtocol
import WaxwingCore

/// Why something waits or was refused, as a clause that may follow a colon.
extension Trouble {
    /// The same where no names are at hand.
    var words: String { (try? words(Names(known: [:]))) ?? token }

    func words(_ names: Names) throws -> String {
        switch self {
        case .transport(_, let detail), .refused(_, _, let detail), .other(let detail): detail.onOneLine
        case .sessionOver: "the server ended the session"
        case .connectionEnded:
            "the connection ended before the server answered; the group's log will tell whether it arrived"
        case .takenWithoutPlace: "the server took it; the group's log will tell whether it counts"
        case .logCountsAnew: "the server has restarted the numbering of its log; the log will tell what arrived"
        case .groupClosed(let end): end.words
        case .unread(let end): "\(end.words), and no one is known to have read this"
        case .notMember: "the server says you are not a member of this group"
        case .keysMissing: "the keys of this group are missing; `waxwing group rejoin` brings them back"
        case .keysRefuse(let detail): "the group's keys do not allow it: \(detail.onOneLine)"
        case .commitImpossible(let detail): "the commit cannot be made: \(detail.onOneLine)"
        case .raceLost: "another commit came first; this one is made again"
        case .rosterAwaited: "someone new was added to the group; it waits for the server's list of members"
        case .newKeysFirst: "the group gets new keys first"
        case .newKeysRefused:
            "the group needs new keys first, and the server has refused them: `waxwing group rotate` tries again"
        case .groupNotCreated: "the group is not created yet"
        case .groupNameTaken(let name): "the group name \(name.onOneLine) is taken"
        case .groupInfoBehind:
            "the server's GroupInfo is behind the log; it waits for a member of the group to sync and renew it"
        case .groupInfoDead:
            "the server has the GroupInfo of a dead commit; it waits for a member of the group to sync and renew it"
        case .groupInfoOfAnother: "the server's GroupInfo is for another group"
        case .groupInfoUnusable(let detail): "the server's GroupInfo cannot be used (\(detail.onOneLine))"
        case .groupSplit: "the group has split, and it is not clear which side lives; looking again"
        case .branchDoubtful:
            "the way into the group may lead to a dead branch; it waits for another member to be online"
        default: try wordsAboutPeople(names)
        }
    }

    /// Those about inviting, removing and accepting.
    private func wordsAboutPeople(_ names: Names) throws -> String {
        switch self {
        case .alreadyMember: return "already a member"
        case .alreadyInvited(let name): return "already invited" + (name.isEmpty ? "" : " by \(name.onOneLine)")
        case .clockWrong(let now):
            return "this machine's clock is wrong: it says \(Day(now)); set it right, then try again"
        case .noKeyPackage: return "the server has no key package of this user: they have to log in again"
        case .keyPackageUnusable(let detail): return "the key package of this user cannot be used: \(detail.onOneLine)"
        case .keyPackageExpired(let lifetime): return lifetime.words
        case .inviteImpossible: return "the invite could not be made"
        case .otherKey(let user, let wasVerified):
            let name = try names.argument(user)
            return
                "the server offers another key for \(name) than the one you \(wasVerified ? "verified" : "saw before"); compare the "
                + "new one with them (`waxwing trust show \(name)`), then `waxwing trust verify \(name) --fingerprint …` and invite them again"
        case .unknownUser: return "the server knows no user of this name"
        case .otherUserNamed(let asked): return "asked for \(asked.onOneLine), the server named someone else"
        case .namedOurselves: return "the server says that this is you"
        case .nameOfAnother(let asked, let user):
            let name = try names.username(user)
            return
                "according to the server, \(asked.onOneLine) is \(name), whom you know by that name; if that is right, use that name, or run "
                + "`waxwing trust rename \(name)` first"
        case .neitherMemberNorInvited: return "neither a member of the group nor invited to it"
        case .inviteOutdated: return "the group has moved on since the invite; it waits for an admin to renew it"
        case .inviteBeingRenewed: return "the invite is gone; looking for another in its place"
        case .inviteGone: return "the invite is gone: it was cancelled, or it expired"
        default: return token
        }
    }
}

extension GroupEnd {
    var words: String {
        switch self {
        case .removed: "you are no longer a member of this group"
        case .left: "you left this group"
        case .deleted: "this group was deleted"
        case .neverCreated: "this group was never created"
        case .copyTookOver: "another copy of this profile took its place in the group"
        case .placeTaken: "another device of yours, or someone in your name, is in your place"
        case .imported: "only the history of this group is here; a sync tells whether you are a member"
        }
    }
}

extension KeyPackageLifetime {
    fileprivate var words: String {
        guard let notBefore, let notAfter else { return "the key package of this user is not valid now" }
        let name = name.isEmpty ? "the user" : name.onOneLine
        var words = "\(name)'s key package "
        if notBefore > now {
            words += "is not valid before \(Day(notBefore)): \(name)'s clock was wrong when it was made"
        } else if wasMadeByWrongClock {
            words += "ended on \(Day(notAfter)): \(name)'s clock was wrong when it was made"
        } else {
            words += "ended on \(Day(notAfter)): \(name) has not been online for a long time"
        }
        if let doubtfulClock { words += ", or this machine's clock is wrong: it says \(Day(doubtfulClock))" }
        return words + "; ask \(name) to run `waxwing sync`, then try again"
    }
}
