import ConclaveProtocol
import WaxwingCore

/// One row of a group's history as `read` and `watch` show it.
struct HistoryLine {
    let names: Names

    /// - Parameters:
    ///   - waiting: the outbox row behind a message that is not in the log yet.
    ///   - isBackInTime: whether the server gives it an earlier time than the row before it.
    func text(_ row: HistoryRow, waiting: OutboxRow?, isBackInTime: Bool = false) throws -> String {
        let place = row.sequence.map(String.init) ?? "·"
        let head = "\(place)  \(TimeText.minute(row.time))  \(isBackInTime ? "[earlier than the line before] " : "")"
        switch row.content {
        case .text(let text):
            let mark = row.sequence == nil ? " " + (try mark(waiting)) : ""
            // The writer may not be who the name says: the key was not the trusted one when the message came.
            let sender = row.hasOtherKey ? try names.username(row.sender) + " [other key]" : try names.shown(row.sender)
            return head + sender + ": " + text.indented(by: 4) + mark
        case .system(let events):
            let lines = try events.map { head + "— " + (try words(for: $0)) }
            return lines.joined(separator: "\n")
        case .unreadable(let reason):
            return head + "! could not be opened: \(Self.words(for: reason)) (from \(try names.shown(row.sender)))"
        }
    }

    func words(for event: SystemEvent) throws -> String {
        let actor = try names.username(event.actor)
        let subject = try names.username(event.subject)
        switch event.kind {
        case .created: return "\(actor) created the group"
        case .joined where event.actor == event.subject: return "\(subject) joined"
        case .joined: return "\(subject) joined (invited by \(actor))"
        case .rejoined: return "\(subject) came back with new keys"
        case .removed: return "\(subject) was removed by \(actor)"
        case .left where event.actor == event.subject: return "\(subject) left"
        case .left: return "\(subject) left (\(actor)'s client took them out)"
        case .unlisted: return "\(subject) is no longer on the server's list; \(actor)'s client took them out"
        case .rotated: return "\(actor) changed the keys"
        case .identityChanged:
            return "the identity key of \(subject) has changed; compare it: waxwing trust show \(subject)"
        case .weWereRemoved where event.actor == event.subject: return "you are no longer a member"
        case .weWereRemoved: return "you were removed by \(actor)"
        case .weWereUnlisted: return "you were no longer on the server's list; \(actor)'s client took you out"
        case .weLeft: return "you left the group"
        case .groupDeleted: return "the group was deleted"
        case .deviceReplaced:
            return "\(subject) came in on another device, with another key in place of the old one"
        case .keyChanged: return "\(subject) changed their identity key; the old one signed for it"
        case .found: return "\(subject) is in the group; how they came in was not seen"
        case .gone: return "\(subject) is no longer in the group"
        case .heldAsStranger:
            return
                "no one who may do so let \(subject) in: nothing you write leaves until you decide (waxwing trust list)"
        case .heldForKey:
            return
                "the key of \(subject) is not one you trust: nothing you write leaves until you decide (waxwing trust list)"
        case .heldForAdder:
            return
                "\(actor), who added \(subject), may not do so: nothing you write leaves until you decide (waxwing trust list)"
        case .ourNameTaken:
            return
                "someone else is in the group under your name: nothing you write leaves (waxwing trust list)"
        case .settingsChanged: return "\(actor) changed the group's settings"
        case .missing:
            return
                "\(counted(event.count, "message")) of \(subject) never came: the server did not deliver them, or they were not sent"
        case .triedToAdd: return "\(actor) tried to add \(subject), which is against the rules; it was refused"
        case .triedToRemove: return "\(actor) tried to remove \(subject), which is against the rules; it was refused"
        case .triedToReplaceGroup:
            return "\(actor) tried to end this group in favour of another one (ReInit); it was refused"
        case .triedToNeedSecret:
            return "\(actor) tried to tie the group to a secret that others do not have (PSK); it was refused"
        case .triedToChangeSettings:
            return "\(actor) tried to change the group's settings in a way that is against the rules; it was refused"
        case .triedToEnter:
            return "someone tried to come in from outside as \(subject), against the rules; it was refused"
        case .triedToChange:
            return "\(actor) sent a change that is against the rules; it was refused"
        case .copyTookOver:
            return
                "another copy of this profile took its place in the group; waxwing group rejoin takes it back and removes the other copy"
        case .logReplaced:
            return
                "the server's log has a commit of \(actor) here, where it had another one before: the server was restored to an older state, or shows people different logs; others may not have read what was written since, and yours is sent again"
        }
    }

    static func words(for reason: HistoryRow.Unreadable) -> String {
        switch reason {
        case .epochTooOld: "it came too late: its keys were deleted already"
        case .epochNotReached: "it was written under keys this device has not reached"
        case .forged: "it is forged, or was damaged on its way"
        case .lostBranch: "it was made on a branch of the group that lost a race and does not count, or it is forged"
        case .malformed: "it is not a valid message"
        case .replayed:
            "its key was used before: it is a copy or forged, or its sender's profile runs twice or was restored from a backup"
        case .lostState: "this device had no keys for it when it was written"
        case .ownLostState:
            "it was sent from your account, but this profile did not write it, or has used its key: another copy of the profile did, or it is forged"
        case .wrongGroup: "it is addressed to another group"
        case .unknownSender: "its sender's key names no user"
        case .otherLog:
            "it was written by people who followed another log of this group than this device did, or it is forged"
        case .refused: "it is a change that breaks the rules, or that refers to something that is not here"
        case .tooFarAhead: "too many messages of its sender are missing before it"
        case .tooLarge: "it is too large"
        }
    }

    func mark(_ waiting: OutboxRow?) throws -> String {
        switch waiting?.state {
        case .queued, nil: "(queued)"
        case .sending: "(sending)"
        case .unconfirmed: "(unconfirmed)"
        case .failed(let trouble): "(failed: \(try trouble.words(names)))"
        case .held: "(held)"
        }
    }
}
