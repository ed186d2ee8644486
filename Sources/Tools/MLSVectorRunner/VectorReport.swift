/// The result of running vector files.
public struct VectorReport: Sendable {
    /// The result of one case, or of a file that could not be run at all (then `index` is nil).
    public struct Entry: Sendable {
        public enum Outcome: Sendable, Equatable {
            case passed
            case failed(String)
            case skipped(String)
        }

        public let file: String
        public let index: Int?
        public let outcome: Outcome

        public init(file: String, index: Int?, outcome: Outcome) {
            self.file = file
            self.index = index
            self.outcome = outcome
        }
    }

    public private(set) var passed = 0
    /// Failed and skipped cases, in the order of file and case; passed ones are only counted.
    public private(set) var notable: [Entry] = []
    public var failed: Int { notable.count - skipped }
    public private(set) var skipped = 0

    public init() {}

    public mutating func add(_ entry: Entry) {
        switch entry.outcome {
        case .passed: passed += 1
        case .failed: notable.append(entry)
        case .skipped:
            skipped += 1
            notable.append(entry)
        }
    }

    public mutating func add(_ other: VectorReport) {
        passed += other.passed
        skipped += other.skipped
        notable += other.notable
    }

    /// A line for each failure and each skip.
    public var details: [String] {
        notable.map { entry in
            let place = entry.file + (entry.index.map { " case \($0)" } ?? "")
            switch entry.outcome {
            case .passed: return "passed   \(place)"
            case .failed(let reason): return "FAILED   \(place): \(reason)"
            case .skipped(let reason): return "skipped  \(place): \(reason)"
            }
        }
    }

    /// `N passed, N failed, N skipped`.
    public var summary: String { "\(passed) passed, \(failed) failed, \(skipped) skipped" }
}
