/// Makes other people's text safe to show: whatever it contains, it stays text.
enum PlainText {
    /// Characters that change the direction of text or hide in it, and control characters, by their code.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A: false
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB,
            0xE0000...0xE007F:
            true
        default: false
        }
    }

    /// Passes on each character in turn; those that would not show, by their code.
    ///
    /// - Parameter plain: the ASCII characters that are shown as they are.
    @inline(__always)
    static func forEach(
        _ bytes: UnsafeRawBufferPointer, plain: Signs, shown: (UnsafeRawBufferPointer) -> Void,
        special: (Special) -> Void
    ) {
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if plain.contains(byte) {
                index += 1
                continue
            }
            let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            let end = min(index + length, bytes.count)
            let scalar = scalar(bytes, index, end)
            if byte >= 0x80, !isHidden(scalar) {
                index = end
                continue
            }
            if index > start { shown(UnsafeRawBufferPointer(rebasing: bytes[start..<index])) }
            special(isHidden(scalar) ? .hidden(scalar.value) : .character(byte))
            index = end
            start = end
        }
        if bytes.count > start { shown(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
    }

    /// Bytes that need a closer look.
    enum Special {
        /// ASCII characters that are not among the plain ones.
        case character(UInt8)
        case hidden(UInt32)
    }

    /// Some ASCII characters.
    struct Signs {
        private var low: UInt64 = 0
        private var high: UInt64 = 0

        /// All that are visible, except some.
        init(allBut special: StaticString) {
            for byte in UInt8(0x20)..<0x7F { insert(byte) }
            let special = UnsafeBufferPointer(start: special.utf8Start, count: special.utf8CodeUnitCount)
            for byte in special {
                if byte < 64 { low &= ~(1 << UInt64(byte)) } else { high &= ~(1 << UInt64(byte - 64)) }
            }
        }

        private mutating func insert(_ byte: UInt8) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
        }

        @inline(__always)
        func contains(_ byte: UInt8) -> Bool {
            byte < 0x80 && (byte < 64 ? low : high) &>> UInt64(byte & 63) & 1 == 1
        }
    }

    private static func scalar(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Unicode.Scalar {
        var value = UInt32(bytes[start])
        if end - start > 1 { value &= 0x7F >> UInt32(end - start) }
        for index in (start + 1)..<max(end, start + 1) { value = value << 6 | UInt32(bytes[index] & 0x3F) }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }
}

/// An event, in words.
enum EventWords {
    static func text(_ event: SystemEventWords) -> String {
        switch event.kind {
        case .created: "\(event.actor) created the group"
        case .joined where event.isOwnDoing: "\(event.subject) joined"
        case .joined: "\(event.subject) joined (invited by \(event.actor))"
        case .rejoined: "\(event.subject) came back with new keys"
        case .removed: "\(event.actor) removed \(event.subject)"
        case .left where event.isOwnDoing: "\(event.subject) left"
        case .left: "\(event.subject) left (\(event.actor)'s client took them out)"
        case .unlisted: "\(event.subject) was no longer on the server's list; \(event.actor)'s client took them out"
        case .rotated: "\(event.actor) changed the keys"
        case .identityChanged: "the identity key of \(event.subject) has changed"
        case .weWereRemoved where event.isOwnDoing: "you were no longer a member"
        case .weWereRemoved: "\(event.actor) removed you"
        case .weWereUnlisted: "you were no longer on the server's list; \(event.actor)'s client took you out"
        case .weLeft: "you left"
        case .groupDeleted: "the group was deleted"
        case .settingsChanged: "\(event.actor) changed the group's settings"
        case .deviceReplaced:
            "\(event.subject) came in on another device, with another key in place of the old one"
        case .keyChanged: "\(event.subject) changed their identity key; the old one signed for it"
        case .found: "\(event.subject) was in the group; how they came in was not seen"
        case .gone: "\(event.subject) was no longer in the group"
        case .heldAsStranger: "no one who may do so let \(event.subject) in; messages were held"
        case .heldForKey: "the key of \(event.subject) was not one that was trusted; messages were held"
        case .heldForAdder:
            "\(event.actor), who added \(event.subject), was not accepted or not an admin; messages were held"
        case .ourNameTaken: "someone else was in the group under this account's name; messages were held"
        case .missing:
            "\(EndWords.counted(UInt64(event.count), "message")) of \(event.subject) never came: the server did not deliver them, or they were not sent"
        case .triedToAdd: "\(event.actor) tried to add \(event.subject); it was refused"
        case .triedToRemove: "\(event.actor) tried to remove \(event.subject); it was refused"
        case .triedToReplaceGroup: "\(event.actor) tried to end the group in favour of another; it was refused"
        case .triedToNeedSecret: "\(event.actor) tried to tie the group to a secret of their own; it was refused"
        case .triedToChangeSettings: "\(event.actor) tried to change the group's settings; it was refused"
        case .triedToEnter: "someone tried to come in from outside as \(event.subject); it was refused"
        case .triedToChange: "\(event.actor) sent a change that was against the rules; it was refused"
        case .copyTookOver: "another copy of this profile took its place in the group"
        case .logReplaced:
            "the server's log had a commit of \(event.actor) here in place of another one: others may not have read what came after that"
        }
    }

    static func text(_ reason: Unreadable) -> String {
        switch reason {
        case .epochTooOld: "could not be opened: it came too late, when its keys were deleted"
        case .epochNotReached: "could not be opened: its keys were never reached"
        case .forged: "could not be opened: it is forged, or was damaged on its way"
        case .lostBranch:
            "could not be opened: it was made on a branch of the group that lost a race and does not count, or it is forged"
        case .malformed: "could not be opened: it is malformed"
        case .replayed:
            "could not be opened: its key was used before: it is a copy or forged, or its sender's profile ran twice or was restored from a backup"
        case .lostState: "could not be opened: this device had no keys for it when it was written"
        case .ownLostState:
            "could not be opened: it was sent from this account, and this profile did not write it, or had used its key: another copy of the profile did, or it is forged"
        case .wrongGroup: "could not be opened: it is addressed to another group"
        case .unknownSender: "could not be opened: its sender's key names no user"
        case .otherLog:
            "could not be opened: it was written by people who followed another log of the group, or it is forged"
        case .refused:
            "could not be taken: it is a change that breaks the rules, or that refers to something which was not there"
        case .tooFarAhead: "could not be opened: too many of its sender's messages are missing before it"
        case .tooLarge: "could not be opened: it is too large"
        }
    }
}

/// The end of a transcript: how much there is, and what is missing.
enum EndWords {
    static func lines(_ groups: [ArchiveTrailer.Group], waiting: Int) -> [String] {
        var lines: [String] = []
        for group in groups {
            let ranges = group.ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first) to \($0.last)" }
            lines.append(
                "\(group.name): \(counted(group.rows, "line")), numbers \(ranges.joined(separator: ", then "))")
            if group.gapCount > 0 {
                let missing = group.gaps.map { $0.first == $0.last ? "\($0.first)" : "\($0.first) to \($0.last)" }
                let more = group.gapCount > UInt64(group.gaps.count) ? ", and more" : ""
                lines.append("\(group.name): missing between them are \(missing.joined(separator: ", "))\(more)")
            }
            let unreadable = group.unreadable.values.reduce(0, +)
            if unreadable > 0 { lines.append("\(group.name): \(counted(unreadable, "line")) could not be opened") }
        }
        if groups.isEmpty { lines.append("There are no lines in it.") }
        if waiting > 0 {
            lines.append("\(counted(UInt64(waiting), "line")) had no place in the server's log yet and stayed out.")
        }
        return lines
    }

    static func counted(_ count: UInt64, _ thing: String) -> String {
        "\(count) \(thing)\(count == 1 ? "" : "s")"
    }
}
