import Foundation

/// `--config FILE`: a TOML file whose keys are the options' long names.
///
/// It becomes arguments in front of those of the command line, where the last one wins. What goes beyond plain
/// `key = value` is refused, and so is whatever TOML does not allow: nothing in the file is passed over.
enum ConfigurationFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Files are read up to this size.
    private static let bytesMax = 64 << 10
    /// The options that make sense for the other commands, too.
    private static let shared: Set<String> = ["data", "password-cost"]

    /// The arguments with the file's content in place of `--config FILE`.
    static func expand(_ arguments: [String], subcommands: Set<String>) throws -> [String] {
        guard let place = arguments.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
            return arguments
        }
        var rest = arguments
        let word = rest.remove(at: place)
        let path: String
        if word == "--config" {
            guard place < rest.count else { throw Failure(description: "--config needs a file") }
            path = rest.remove(at: place)
        } else {
            path = String(word.dropFirst("--config=".count))
        }
        guard let file = FileHandle(forReadingAtPath: path), let data = try file.read(upToCount: bytesMax + 1) else {
            throw Failure(description: "\(path) cannot be read, or is empty")
        }
        guard data.count <= bytesMax, let text = String(data: data, encoding: .utf8) else {
            throw Failure(description: "\(path) is not UTF-8 text of at most \(bytesMax) bytes")
        }
        let entries: [TOML.Entry]
        do {
            entries = try TOML.entries(of: text)
        } catch {
            throw Failure(description: "\(path), line \(error.line): \(error.reason)")
        }
        // Options follow the words of a subcommand: admin user list.
        let isServing = rest.first.map { !subcommands.contains($0) || $0 == "serve" } ?? true
        let words = rest.prefix { !$0.hasPrefix("-") }.count
        let added = try entries.filter { isServing || shared.contains($0.key) && $0.key == "data" }.flatMap {
            try options(of: $0, in: path)
        }
        return rest[..<words] + added + rest[words...]
    }

    private static func options(of entry: TOML.Entry, in path: String) throws -> [String] {
        guard entry.key != "config" else {
            throw Failure(description: "\(path), line \(entry.line): a file cannot name another file")
        }
        func option(_ value: TOML.Value) throws -> [String] {
            switch value {
            case .text(let text): return ["--\(entry.key)=\(text)"]
            case .number(let number): return ["--\(entry.key)=\(number)"]
            case .truth(let isTrue): return isTrue ? ["--\(entry.key)"] : []
            case .list: throw Failure(description: "\(path), line \(entry.line): a list within a list")
            }
        }
        if case .list(let values) = entry.value { return try values.flatMap(option) }
        return try option(entry.value)
    }
}
