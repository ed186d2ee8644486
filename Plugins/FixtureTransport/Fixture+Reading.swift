import ConclaveProtocol
import FoundationEssentials

/// What can be done with recordings besides replaying them.
extension Fixture {
    /// The recording in readable lines.
    ///
    /// - Parameter withDraws: whether to include clock readings and random numbers.
    public func description(withBodies: Bool, withDraws: Bool) -> [String] {
        var text: [String] = []
        for line in lines {
            if [.clock, .entropy].contains(line.kind), !withDraws { continue }
            let indent = [.header, .command].contains(line.kind) ? "" : "  "
            text.append("\(line.line)".padded(to: 6) + indent + line.summary)
            guard withBodies, let view = line.view else { continue }
            text += view.lines(indent: 12)
        }
        return text
    }

    /// Describes it in a few words.
    public var summary: String {
        func count(_ kind: FixtureLine.Kind) -> Int { lines.count { $0.kind == kind } }
        return "\(lines.count) lines, \(count(.command)) commands, \(count(.request)) requests, "
            + (isReplayable ? "can be played again" : "without entropy")
    }

    /// What is wrong with it; nil if nothing is.
    public var problem: String? {
        var isInCommand = false
        var requests: [Int: FixtureLine] = [:]
        // Requests for which something may still come.
        var open: Set<Int> = []
        for line in lines.dropFirst() {
            switch line.kind {
            case .header: return "line \(line.line): a second header"
            case .command:
                if isInCommand { return "line \(line.line): a command begins before the last one ended" }
                isInCommand = true
                requests = [:]
                open = []
            case .exit:
                if !isInCommand { return "line \(line.line): a command ends that did not begin" }
                isInCommand = false
            default:
                if !isInCommand { return "line \(line.line): \(line.kind.rawValue) outside of a command" }
            }
            if line.kind == .request {
                guard let id = line.id, requests.updateValue(line, forKey: id) == nil else {
                    return "line \(line.line): a request without a number of its own"
                }
                open.insert(id)
            } else if let id = line.id {
                if requests[id] == nil { return "line \(line.line): something for request \(id), which was not made" }
                if !open.contains(id) { return "line \(line.line): something for request \(id), which is over" }
                if line.kind != .event { open.remove(id) }
            }
            if line.kind == .answer, line.response == nil { return "line \(line.line): an answer without a status" }
            if line.kind == .event, line.feedEvent == nil { return "line \(line.line): an event that cannot be read" }
            if [.failure, .feedEnd].contains(line.kind), line.transportError == nil {
                return "line \(line.line): a failure without outcome and cause"
            }
            if line.kind == .entropy, !isReplayable { return "line \(line.line): entropy, which the header denies" }
            if let secret = line.secret(for: line.id.flatMap { requests[$0] }) {
                return "line \(line.line): \(secret) in clear"
            }
        }
        return isInCommand ? "it ends in the middle of a command" : nil
    }

    /// A copy without entropy, input and words of command lines.
    public func redacted() -> Fixture {
        var copy: [FixtureLine] = []
        for var line in lines where line.kind != .entropy {
            switch line.kind {
            case .header:
                line.entropy = false
                line.note = "Redacted: holds no entropy and no words."
            case .command: line.arguments = line.arguments.map { Masks.wordless($0) }
            case .input: line.bytes = Data(count: line.bytes?.count ?? 0)
            default: break
            }
            line.line = copy.count + 1
            copy.append(line)
        }
        return Fixture(lines: copy)
    }

    /// Writes it into a new file with mode 0600.
    ///
    /// - Throws: ``FixtureError``, also if the file exists.
    public func write(to path: String) throws(FixtureError) {
        let (writer, _) = try FixtureWriter.open(path, mustBeNew: true)
        for line in lines { try writer.write(line.encoded + [UInt8(ascii: "\n")]) }
    }

    /// Readable lines that say where another recording differs; none if it does not. Lines that only one of them has do
    /// not hide what comes after.
    public func differences(from other: Fixture) -> [String] {
        var text: [String] = []
        let shown = 40
        var (old, new) = (lines[...], other.lines[...])
        while text.count < shown {
            let same = zip(old, new).prefix { $0.matches($1) }.count
            (old, new) = (old.dropFirst(same), new.dropFirst(same))
            if old.isEmpty && new.isEmpty { return text }
            if let a = old.first, let b = new.first, a.kind == b.kind,
                old.dropFirst().first.map({ next in new.dropFirst().first.map(next.matches) ?? false })
                    ?? (new.count == 1)
            {
                // One line replaced by another.
                text += ["- \(a.line)  \(a.summary)", "+ \(b.line)  \(b.summary)"]
                text += FixtureLine.differences(a, b).map { "    \($0)" }
                (old, new) = (old.dropFirst(), new.dropFirst())
                continue
            }
            let (removed, added) = Self.skipped(from: old, to: new)
            text += old.prefix(removed).map { "- \($0.line)  \($0.summary)" }
            text += new.prefix(added).map { "+ \($0.line)  \($0.summary)" }
            if removed == 1, added == 1, let a = old.first, let b = new.first {
                text += FixtureLine.differences(a, b).map { "    \($0)" }
            }
            (old, new) = (old.dropFirst(removed), new.dropFirst(added))
        }
        return text + ["and more"]
    }

    /// The smallest number of lines of each to skip until they agree again.
    private static func skipped(from old: ArraySlice<FixtureLine>, to new: ArraySlice<FixtureLine>) -> (Int, Int) {
        // Beyond this distance they are taken for entirely different.
        let reach = 60
        let (most, other) = (min(reach, old.count), min(reach, new.count))
        for total in 1...max(1, most + other) {
            for removed in max(0, total - other)...max(0, min(total, most)) {
                let added = total - removed
                guard added <= other else { continue }
                switch (old.dropFirst(removed).first, new.dropFirst(added).first) {
                case (nil, nil): return (removed, added)
                case (let a?, let b?) where a.matches(b): return (removed, added)
                default: continue
                }
            }
        }
        return (max(1, most), max(1, other))
    }
}

extension FixtureLine {
    /// A secret in this line that is not a placeholder; nil if there is none.
    ///
    /// - Parameter request: the line of the request it belongs to.
    fileprivate func secret(for request: FixtureLine?) -> String? {
        if let token, Masks.token(token) != token { return "a token" }
        if kind == .password, !Masks.isPassword(text ?? "") { return "a password" }
        if let arguments, Masks.arguments(arguments) != arguments { return "credentials" }
        if kind == .event, let view {
            guard case .event(let hint)? = feedEvent, view == BodyView.of(hint) else {
                return "a view of something else"
            }
        }
        guard [.request, .answer].contains(kind), let request, let path = request.path,
            let method = request.method.flatMap(APIRequest.Method.init(rawValue:))
        else { return nil }
        let bytes = Array(body ?? Data())
        let side = kind == .request ? WireBody.Side.request : .answer
        var found: String?
        _ = WireBody.replacingSecrets(in: bytes, of: side, method, path) { kind, text in
            switch kind {
            case .password: if !Masks.isPassword(text) { found = "a password" }
            case .token: if Masks.token(text) != text { found = "a token" }
            }
            return text
        }
        // The text for people must match the body; otherwise it could hold anything.
        if found == nil, let view, view != BodyView.of(bytes, side, method, path) { return "a view of something else" }
        return found
    }
}

extension Masks {
    /// The arguments of a command without its message text: `send` has it after the group.
    static func wordless(_ arguments: [String]) -> [String] {
        guard arguments.first == "send" else { return arguments }
        // After `--` everything is text, however it begins. Values of options are not told from text: better to remove
        // one too many.
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        var places = arguments.indices.dropFirst().filter { place in
            place > end || (place != end && !arguments[place].hasPrefix("-"))
        }
        if !places.isEmpty { places.removeFirst() }
        var result = arguments
        for place in places { result[place] = "…" }
        return result
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension JSONValue {
    fileprivate func lines(indent: Int, name: String = "") -> [String] {
        let space = String(repeating: " ", count: indent)
        let label = name.isEmpty ? "" : name + ": "
        switch self {
        case .object(let members):
            return (name.isEmpty ? [] : [space + name])
                + members.sorted { $0.key < $1.key }.flatMap {
                    $0.value.lines(indent: name.isEmpty ? indent : indent + 2, name: $0.key)
                }
        case .array(let values):
            return values.enumerated().flatMap { $0.element.lines(indent: indent, name: "\(name)[\($0.offset)]") }
        case .null: return [space + label + "none"]
        case .bool(let value): return [space + label + "\(value)"]
        case .number(let value): return [space + label + "\(value)"]
        case .string(let text): return [space + label + text]
        }
    }
}
