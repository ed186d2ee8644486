import ConclaveProtocol
import WaxwingCore

/// Members of a group in words: how they joined, and why messages wait for them.
struct MemberWords {
    let names: Names

    /// How a member joined, through whom, and since when.
    func way(_ leaf: RoomRecord.Leaf) throws -> String {
        let by = try leaf.by.map { try names.username($0) }
        let way =
            switch leaf.way {
            case .founder: "made the group"
            case .added: by.map { "added by \($0)" } ?? "added"
            case .external: by.map { "invited by \($0), came in from outside" } ?? "came in from outside"
            case .replaced: "came in on another device"
            case .keyChanged: "changed the key"
            case .vouchedFor: by.map { "vouched for by \($0)" } ?? "here before you"
            case .found: "here when you came in"
            case .earlier: "here since before this was recorded"
            }
        return leaf.since == 0 ? way : "\(way), \(TimeText.minute(leaf.since))"
    }

    /// Why messages wait for someone.
    func why(_ leaf: RoomRecord.Leaf) throws -> String {
        let name = try names.username(leaf.user)
        let by = try leaf.by.map { try names.username($0) } ?? "someone"
        if leaf.standing == .untold {
            let news =
                leaf.objection == .addedByUnaccepted
                ? "was added by \(by), whose key is another than the one you saw"
                : "came in on another device, with another key than the one you saw"
            return "\(name) \(news); now that you know, your message can leave"
        }
        switch leaf.objection {
        case .none, .stranger: return "\(name) came in from outside, and no one who may do so let them in"
        case .otherKey: return "\(name) has another key than the one you saw before"
        case .notTheVerifiedKey: return "the key of \(name) is not the one that you verified"
        case .addedByNonAdmin: return "\(name) was added by \(by), who is not an admin on the server's list"
        case .addedByUnaccepted: return "\(name) was added by \(by), whom you have not accepted"
        case .cameUnseen: return "\(name) came in unseen, while you were away"
        case .ourName: return "someone else is in the group under your name"
        case .everyNewKey: return "\(name) is new, and you asked to be asked about every new key"
        }
    }
}
