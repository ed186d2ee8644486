import MLS

/// What the command line asks for.
struct Options {
    var suites: [CipherSuite] = [
        .x25519_aes128gcm_sha256_ed25519, .p256_aes128gcm_sha256_p256, .x448_chacha20poly1305_sha512_ed448,
    ]
    var sizes = [2, 10, 100, 1000]
    /// Only rows whose name contains this; all if it is empty.
    var only = ""
    /// Seconds for which a row may measure.
    var budget = 0.5
    var memory = true
    var output = ".build/bench-mls.json"
    /// For a child that reports its peak memory: the file it reads, and what it does with it.
    var probe: (file: String, action: String, suite: CipherSuite)?

    static let usage = """
        usage: bench-mls [--suite NUMBERS] [--sizes NUMBERS] [--only NAME] [--quick] [--no-memory] [FILE]

          --suite 1,2,6        cipher suites by number
          --sizes 2,10,100     members of the groups
          --only NAME          only rows whose name contains NAME
          --quick              fewer samples, and memory of 1,000 members only
          --no-memory          leaves the memory of large groups out
          FILE                 where the JSON copy goes; .build/bench-mls.json unless said
        """

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--suite":
                suites = try Self.numbers(rest.popFirst()).map(Self.suite)
            case "--sizes":
                sizes = try Self.numbers(rest.popFirst()).filter { $0 >= 2 }
            case "--only": only = try Self.value(rest.popFirst())
            case "--quick": budget = 0.1
            case "--no-memory": memory = false
            case "--probe":
                let (file, action) = (try Self.value(rest.popFirst()), try Self.value(rest.popFirst()))
                probe = (file, action, try Self.suite(try Self.numbers(rest.popFirst()).first ?? 0))
            case _ where argument.hasPrefix("-"): throw Trouble(Self.usage)
            default: output = argument
            }
        }
    }

    var isQuick: Bool { budget < 0.5 }

    private static func suite(_ number: Int) throws -> CipherSuite {
        guard let raw = UInt16(exactly: number), let suite = CipherSuite(rawValue: raw) else {
            throw Trouble("there is no cipher suite \(number)")
        }
        return suite
    }

    private static func value(_ argument: String?) throws -> String {
        guard let argument else { throw Trouble(usage) }
        return argument
    }

    private static func numbers(_ argument: String?) throws -> [Int] {
        try value(argument).split(separator: ",").map { word in
            guard let number = Int(word) else { throw Trouble(usage) }
            return number
        }
    }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
