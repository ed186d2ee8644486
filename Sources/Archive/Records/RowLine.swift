import ConclaveProtocol
import WaxwingCore

/// The line of `messages.jsonl` for a row: one JSON object with its members always in the same order, without those
/// that have no value.
enum RowLine {
    /// Names of system events, by their number in the profile.
    static let events: [(kind: SystemEvent.Kind, name: StaticString)] = [
        (.created, "created"), (.joined, "joined"), (.rejoined, "rejoined"), (.removed, "removed"),
        (.rotated, "rotated"), (.identityChanged, "identityChanged"), (.weWereRemoved, "weWereRemoved"),
        (.weLeft, "weLeft"), (.groupDeleted, "groupDeleted"), (.settingsChanged, "settingsChanged"),
        (.left, "left"), (.unlisted, "unlisted"), (.weWereUnlisted, "weWereUnlisted"),
        (.deviceReplaced, "deviceReplaced"), (.keyChanged, "keyChanged"), (.found, "found"), (.gone, "gone"),
        (.heldAsStranger, "heldAsStranger"), (.heldForKey, "heldForKey"), (.heldForAdder, "heldForAdder"),
        (.ourNameTaken, "ourNameTaken"), (.missing, "missing"), (.logReplaced, "logReplaced"),
        (.triedToAdd, "triedToAdd"), (.triedToRemove, "triedToRemove"), (.triedToReplaceGroup, "triedToReplaceGroup"),
        (.triedToNeedSecret, "triedToNeedSecret"), (.triedToChangeSettings, "triedToChangeSettings"),
        (.triedToEnter, "triedToEnter"), (.triedToChange, "triedToChange"),
        (.copyTookOver, "copyTookOver"),
    ]

    /// No name is a prefix of another: readers take the first that matches.
    static let reasons: [(reason: HistoryRow.Unreadable, name: StaticString)] = [
        (.epochTooOld, "epochTooOld"), (.epochNotReached, "epochNotReached"), (.forged, "forged"),
        (.malformed, "malformed"), (.replayed, "replayed"), (.lostState, "lostState"), (.tooLarge, "tooLarge"),
        (.tooFarAhead, "tooFarAhead"), (.lostBranch, "lostBranch"), (.ownLostState, "ownLostState"),
        (.wrongGroup, "wrongGroup"), (.unknownSender, "unknownSender"), (.refused, "refused"),
        (.otherLog, "otherLog"),
    ]

    /// What every line of a group begins with.
    static func head(of group: ID) -> [UInt8] {
        var text = TextBuffer()
        text.append(#"{"group":""#)
        text.append(group)
        text.append(#"","era":"#)
        return text.bytes
    }

    /// What every line of a person has in its middle.
    static func sender(_ id: ID, _ name: String) -> [UInt8] {
        var text = TextBuffer()
        text.append(#"","sender":""#)
        text.append(id)
        text.append(#"","name":"#)
        text.append(json: name)
        return text.bytes
    }

    /// Adds the line.
    ///
    /// - Parameter head: the result of ``head(of:)``.
    static func write(_ row: RowBatch.Row, _ lent: RowBatch.Lent, head: [UInt8], to text: inout TextBuffer) {
        let stored = row.stored
        text.append(raw: head)
        text.append(UInt64(stored.era))
        text.append(#","sequence":"#)
        text.append(row.sequence)
        text.append(#","time":"#)
        text.append(stored.time)
        text.append(#","utc":""#)
        text.append(utc: stored.time)
        text.append(raw: lent.inMessages(row.sender))
        switch stored.content {
        case .text(let words):
            text.append(#","type":"text","text":"#)
            text.append(json: lent.words(words))
        case .system(let events):
            text.append(#","type":"system","events":["#)
            for index in events { write(lent.events[index], isFirst: index == events.lowerBound, to: &text) }
            text.append("]")
        case .unreadable(let reason):
            text.append(#","type":"unreadable","reason":""#)
            text.append(name(of: reason))
            text.append(#"""#)
        }
        if stored.hasOtherKey { text.append(#","otherKey":true"#) }
        text.append(#","epoch":"#)
        text.append(stored.epoch)
        if let generation = stored.generation {
            text.append(#","generation":"#)
            text.append(UInt64(generation))
        }
        if !stored.messageID.isEmpty {
            text.append(#","id":""#)
            text.append(hex: lent.words(stored.messageID))
            text.append(#"""#)
        }
        if !stored.digest.isEmpty {
            text.append(#","sha256":""#)
            text.append(hex: lent.words(stored.digest))
            text.append(#"""#)
        }
        text.append("}\n")
    }

    private static func write(_ event: SystemEvent, isFirst: Bool, to text: inout TextBuffer) {
        if !isFirst { text.append(",") }
        text.append(#"{"kind":""#)
        text.append(name(of: event.kind))
        text.append(#"","actor":""#)
        text.append(event.actor)
        text.append(#"","subject":""#)
        text.append(event.subject)
        text.append(#"""#)
        if event.kind == .missing {
            text.append(#","count":"#)
            text.append(UInt64(event.count))
        }
        text.append("}")
    }

    static func name(of kind: SystemEvent.Kind) -> StaticString { events.first { $0.kind == kind }?.name ?? "" }
    static func name(of reason: HistoryRow.Unreadable) -> StaticString {
        reasons.first { $0.reason == reason }?.name ?? ""
    }
}
