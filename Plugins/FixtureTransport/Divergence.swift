import ConclaveProtocol
import FoundationEssentials
import WaxwingCore

/// The point at which a replay leaves its recording.
public struct Divergence: Error, Sendable, CustomStringConvertible {
    let expected: FixtureLine?
    let actual: FixtureLine?
    /// The line number, from 1.
    public let line: Int
    private let what: String

    /// - Parameter position: from 0.
    init(expected: FixtureLine?, actual: FixtureLine?, at position: Int, _ what: String) {
        self.expected = expected
        self.actual = actual
        self.what = what
        line = position + 1
    }

    /// Several lines: what was expected, what came instead, and where they differ.
    public var description: String {
        var text = ["line \(line): \(what)"]
        text.append("  recorded: \(expected?.summary ?? "the end of the recording")")
        if let actual { text.append("  now:      \(actual.summary)") }
        if let expected, let actual {
            text += FixtureLine.differences(expected, actual).map { "  \($0)" }
        }
        return text.joined(separator: "\n")
    }
}

extension FixtureLine {
    /// The line in a few words.
    var summary: String {
        let number = id.map { " \($0)" } ?? ""
        switch kind {
        case .header: return "header, \(entropy == true ? "with" : "without") entropy, by \(program ?? "?")"
        case .command: return "command: \((arguments ?? []).joined(separator: " "))"
        case .exit: return "exit \(code ?? 0)"
        case .clock: return "clock \(milliseconds ?? 0)"
        case .entropy: return "entropy, \(bytes?.count ?? 0) bytes"
        case .password: return "password \(text ?? "")"
        case .input: return "input, \(bytes?.count ?? 0) bytes"
        case .request:
            let items = (query ?? []).map { $0.joined(separator: "=") }.joined(separator: "&")
            return
                "request\(number): \(method ?? "") \(path ?? "")\(items.isEmpty ? "" : "?" + items), \(body?.count ?? 0) bytes"
        case .answer: return "answer to request\(number): \(status ?? 0), \(body?.count ?? 0) bytes"
        case .failure: return "no answer to request\(number): \(reason ?? "") (\(outcome ?? ""))"
        case .event: return "event on feed\(number): \(event == "event" ? frame ?? "" : event ?? "")"
        case .feedEnd: return "end of feed\(number): \(reason ?? "")"
        case .wake: return "time has passed"
        case .stop: return "the client is asked to stop"
        }
    }

    /// One line for each member in which two lines differ.
    static func differences(_ old: FixtureLine, _ new: FixtureLine) -> [String] {
        var words: [String] = []
        func compare<Value: Equatable>(_ name: String, _ a: Value?, _ b: Value?) {
            if a == b { return }
            words.append("\(name): \(a.map { "\($0)" } ?? "none") -> \(b.map { "\($0)" } ?? "none")")
        }
        compare("kind", old.kind.rawValue, new.kind.rawValue)
        guard old.kind == new.kind else { return words }
        compare("arguments", old.arguments, new.arguments)
        compare("code", old.code, new.code)
        compare("clock", old.milliseconds, new.milliseconds)
        compare("text", old.text, new.text)
        compare("method", old.method, new.method)
        compare("path", old.path, new.path)
        compare("query", old.query, new.query)
        compare("token", old.token, new.token)
        compare("idempotency key", old.key, new.key)
        compare("contested rows", old.contests, new.contests)
        compare("status", old.status, new.status)
        compare("type", old.type, new.type)
        compare("outcome", old.outcome, new.outcome)
        compare("cause", old.cause, new.cause)
        compare("event", old.event, new.event)
        compare("frame", old.frame, new.frame)
        words += bytes("bytes", old.bytes, new.bytes) + bytes("body", old.body, new.body)
        if let a = old.view, let b = new.view { words += views("", a, b) }
        return words
    }

    private static func bytes(_ name: String, _ a: Data?, _ b: Data?) -> [String] {
        let (a, b) = (Array(a ?? Data()), Array(b ?? Data()))
        if a == b { return [] }
        let place = zip(a, b).prefix { $0 == $1 }.count
        func part(_ bytes: [UInt8]) -> String {
            place < bytes.count ? hexEncode(bytes[place...].prefix(16)) : "nothing"
        }
        return ["\(name) from byte \(place) on: \(part(a)) -> \(part(b)) (\(a.count) and \(b.count) bytes)"]
    }

    private static func views(_ path: String, _ a: JSONValue, _ b: JSONValue) -> [String] {
        if a == b { return [] }
        if case .object(let old) = a, case .object(let new) = b {
            return Set(old.keys).union(new.keys).sorted().flatMap { key in
                views(path.isEmpty ? key : "\(path).\(key)", old[key] ?? .null, new[key] ?? .null)
            }
        }
        if case .array(let old) = a, case .array(let new) = b, old.count == new.count {
            return zip(old, new).enumerated().flatMap { views("\(path)[\($0)]", $1.0, $1.1) }
        }
        return ["\(path): \(words(a)) -> \(words(b))"]
    }

    private static func words(_ value: JSONValue) -> String {
        // This is only for people: what JSON cannot say is left out.
        let text = (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
        return text.count > 200 ? text.prefix(200) + "…" : text
    }
}
