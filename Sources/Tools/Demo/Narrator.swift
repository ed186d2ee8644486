import Foundation

/// Tells the story line by line as it happens, unbuffered.
enum Narrator {
    static func scene(_ title: String) { line("\n── \(title)") }

    static func tell(_ text: String) { line("   \(text)") }

    /// A command someone gives, with what it printed.
    static func command(_ person: String, _ arguments: [String], output: String) {
        let words = arguments.map { $0.contains(" ") ? "\"\($0)\"" : $0 }
        line("   \(person) $ waxwing \(words.joined(separator: " "))")
        for text in output.split(separator: "\n") { line("       \(text)") }
    }

    static func quote(_ text: String) {
        for text in text.split(separator: "\n") { line("   │ \(text)") }
    }

    static func checked(_ text: String) { line("   ✓ \(text)") }

    static func aside(_ text: String) { FileHandle.standardError.write(Data("demo: \(text)\n".utf8)) }

    private static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}
