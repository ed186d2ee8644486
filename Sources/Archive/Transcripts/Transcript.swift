import ConclaveProtocol
import WaxwingCore

typealias Unreadable = HistoryRow.Unreadable

/// An event with names instead of ids.
struct SystemEventWords {
    var kind: SystemEvent.Kind
    var actor: String
    var subject: String
    /// Whether actor and subject are the same.
    var isOwnDoing: Bool
    var count: UInt32

    init(_ event: SystemEvent, _ people: [ID: Person]) {
        kind = event.kind
        count = event.count
        isOwnDoing = event.actor == event.subject
        actor = people[event.actor]?.shownName ?? Person.name(of: event.actor, "")
        subject = people[event.subject]?.shownName ?? Person.name(of: event.subject, "")
    }
}

/// `transcript.md`: for reading as text. Everything that people wrote is quoted, and every character in it that could
/// have a meaning is escaped.
enum Markdown {
    static func begin(_ contents: ArchiveContents, to text: inout TextBuffer) {
        text.append("# Conversations of ")
        words(contents.account.username, to: &text)
        text.append("\n\nOn the server ")
        words(contents.server, to: &text)
        text.append(". Times are UTC, by its clock.\n")
    }

    static func begin(_ group: ArchiveGroup, to text: inout TextBuffer) {
        text.append("\n## ")
        words(group.name, to: &text)
        if !group.alias.isEmpty {
            text.append(" \u{2014} ")
            words(group.alias, to: &text)
        }
        text.append("\n")
    }

    /// What every line of a person begins with.
    static func sender(_ name: String) -> [UInt8] {
        var text = TextBuffer()
        text.append("\n**")
        words(name, to: &text)
        text.append("** ")
        return text.bytes
    }

    static func write(_ row: RowBatch.Row, _ lent: RowBatch.Lent, to text: inout TextBuffer) {
        text.append(raw: lent.inMarkdown(row.sender))
        text.append(utc: row.stored.time, separator: 0x20, end: " UTC, no. ")
        text.append(row.sequence)
        if row.stored.hasOtherKey { text.append(", **signed with another key**") }
        text.append("\n\n")
        switch row.stored.content {
        case .text(let message):
            text.append("> ")
            words(lent.words(message), to: &text)
            text.append("\n")
        case .system(let events):
            for event in lent.events[events] {
                text.append("* ")
                words(EventWords.text(SystemEventWords(event, lent.people)), to: &text)
                text.append("\n")
            }
        case .unreadable(let reason):
            text.append("* ")
            words(EventWords.text(reason), to: &text)
            text.append("\n")
        }
    }

    static func end(_ groups: [ArchiveTrailer.Group], waiting: Int, to text: inout TextBuffer) {
        text.append("\n## What is in this archive, and what is not\n\n")
        for line in EndWords.lines(groups, waiting: waiting) {
            text.append("* ")
            words(line, to: &text)
            text.append("\n")
        }
    }

    /// All that ``hasMeaning(_:behind:)`` examines is special.
    private static let plain = PlainText.Signs(allBut: #"\`*_[]<>&|~!$:@#=-+.)"#)

    private static func words(_ words: String, to text: inout TextBuffer) {
        var words = words
        words.withUTF8 { Self.words(UnsafeRawBufferPointer($0), to: &text) }
    }

    private static func words(_ words: UnsafeRawBufferPointer, to text: inout TextBuffer) {
        var lineStart = text.count
        PlainText.forEach(words, plain: plain) {
            text.append(raw: $0)
        } special: { special in
            switch special {
            // Two spaces at the end of a line break it; the next one is quoted again.
            case .character(0x0A):
                text.append("  \n> ")
                lineStart = text.count
            case .character(let byte):
                if hasMeaning(byte, behind: text.contents[lineStart...]) { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            case .hidden(let value):
                text.append("\\[U+")
                text.append(codePoint: value)
                text.append("\\]")
            }
        }
    }

    /// Whether a character could begin or end something (CommonMark 0.31, and GitHub's tables, strike-outs and bare
    /// links).
    private static func hasMeaning(_ sign: UInt8, behind line: Slice<UnsafeRawBufferPointer>) -> Bool {
        switch sign {
        case UInt8(ascii: "\\"), UInt8(ascii: "`"), UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "|"),
            UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: ":"), UInt8(ascii: "@"):
            true
        // Headings, rules, lists.
        case UInt8(ascii: "#"), UInt8(ascii: "="), UInt8(ascii: "-"), UInt8(ascii: "+"):
            line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
        case UInt8(ascii: "."), UInt8(ascii: ")"):
            line.allSatisfy { $0 == 0x20 || $0 == 0x09 || (0x30...0x39).contains($0) }
        default: false
        }
    }
}

/// `transcript.html`: for reading and printing in a browser. It has no scripts and loads nothing; other people's text
/// is text and nothing else.
enum HTML {
    static func begin(_ contents: ArchiveContents, to text: inout TextBuffer) {
        text.append(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>Conversations</title>
            <style>
            body { font: 16px/1.45 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff; }
            h2 { margin-top: 3rem; border-bottom: 1px solid #ccc; }
            h1, h2, b, .t { overflow-wrap: anywhere; }
            p { margin: .9rem 0 .2rem; font-size: .85rem; color: #555; break-after: avoid; }
            p b { font-size: 1rem; color: #1b1b1b; }
            .t { white-space: pre-wrap; break-inside: avoid; }
            .s { color: #555; font-style: italic; }
            .k { color: #a00; font-weight: bold; }
            code { background: #eee; color: #a00; }
            @media (prefers-color-scheme: dark) { body, p b { color: #e8e8e8; } body { background: #161616; } p, .s { color: #aaa; } code { background: #333; color: #f99; } .k { color: #f99; } }
            @media print { body { margin: 0; max-width: none; color: #000; background: #fff; } }
            </style>
            </head>
            <body>
            <h1>Conversations of <bdi>
            """)
        words(contents.account.username, to: &text)
        text.append("</bdi></h1>\n<p>On the server <bdi>")
        words(contents.server, to: &text)
        text.append("</bdi>. Times are UTC, by its clock.</p>\n")
    }

    static func begin(_ group: ArchiveGroup, to text: inout TextBuffer) {
        text.append("<h2><bdi>")
        words(group.name, to: &text)
        text.append("</bdi>")
        if !group.alias.isEmpty {
            text.append(" \u{2014} <bdi>")
            words(group.alias, to: &text)
            text.append("</bdi>")
        }
        text.append("</h2>\n")
    }

    /// What every line of a person begins with.
    static func sender(_ name: String) -> [UInt8] {
        var text = TextBuffer()
        text.append("<p><b><bdi>")
        words(name, to: &text)
        text.append("</bdi></b> ")
        return text.bytes
    }

    static func write(_ row: RowBatch.Row, _ lent: RowBatch.Lent, to text: inout TextBuffer) {
        text.append(raw: lent.inHTML(row.sender))
        text.append(utc: row.stored.time, separator: 0x20, end: " UTC, no. ")
        text.append(row.sequence)
        if row.stored.hasOtherKey { text.append(#" <span class="k">signed with another key</span>"#) }
        text.append("</p>\n")
        switch row.stored.content {
        case .text(let message):
            text.append(#"<div class="t" dir="auto">"#)
            words(lent.words(message), to: &text)
            text.append("</div>\n")
        case .system(let events):
            for event in lent.events[events] {
                text.append(#"<div class="t s"><bdi>"#)
                words(EventWords.text(SystemEventWords(event, lent.people)), to: &text)
                text.append("</bdi></div>\n")
            }
        case .unreadable(let reason):
            text.append(#"<div class="t s">"#)
            words(EventWords.text(reason), to: &text)
            text.append("</div>\n")
        }
    }

    static func end(_ groups: [ArchiveTrailer.Group], waiting: Int, to text: inout TextBuffer) {
        text.append("<h2>What is in this archive, and what is not</h2>\n<ul>\n")
        for line in EndWords.lines(groups, waiting: waiting) {
            text.append("<li>")
            words(line, to: &text)
            text.append("</li>\n")
        }
        text.append("</ul>\n</body>\n</html>\n")
    }

    private static let plain = PlainText.Signs(allBut: #"<>&"'"#)

    private static func words(_ words: String, to text: inout TextBuffer) {
        var words = words
        words.withUTF8 { Self.words(UnsafeRawBufferPointer($0), to: &text) }
    }

    private static func words(_ words: UnsafeRawBufferPointer, to text: inout TextBuffer) {
        PlainText.forEach(words, plain: plain) {
            text.append(raw: $0)
        } special: { special in
            switch special {
            case .character(UInt8(ascii: "<")): text.append("&lt;")
            case .character(UInt8(ascii: ">")): text.append("&gt;")
            case .character(UInt8(ascii: "&")): text.append("&amp;")
            case .character(UInt8(ascii: "\"")): text.append("&quot;")
            case .character(UInt8(ascii: "'")): text.append("&#39;")
            case .character(let byte): text.append(byte)
            case .hidden(let value):
                text.append("<code>U+")
                text.append(codePoint: value)
                text.append("</code>")
            }
        }
    }
}

extension TextBuffer {
    /// Four hexadecimal digits or more.
    fileprivate mutating func append(codePoint value: UInt32) {
        let text = String(value, radix: 16, uppercase: true)
        append(raw: Array(String(repeating: "0", count: max(0, 4 - text.count)).utf8))
        append(raw: Array(text.utf8))
    }
}
