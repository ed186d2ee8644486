/// Shows the progress of long work, with its rate and the time left; on a terminal only.
struct ProgressMeter {
    /// The unit of the numbers.
    enum Unit {
        case rows, bytes
    }

    private let verb: String
    private let unit: Unit
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?

    init(_ verb: String, _ unit: Unit) {
        self.verb = verb
        self.unit = unit
    }

    /// - Parameter all: the total as far as it is known; it may turn out to be more or less.
    mutating func show(_ done: UInt64, of all: UInt64) {
        let now = ContinuousClock.now
        if let shown, now - shown < .milliseconds(200) { return }
        shown = now
        Console.progress(Self.text(verb, unit, done: done, of: all, in: now - start))
    }

    func end() { Console.wipeProgress() }

    /// `exporting: 120000 rows, 41 %, 45000 rows/s, 0:04 left`
    static func text(_ verb: String, _ unit: Unit, done: UInt64, of all: UInt64, in time: Duration) -> String {
        let (seconds, fraction) = time.components
        let elapsed = Double(seconds) + Double(fraction) / 1e18
        var parts = [amount(done, unit)]
        if all > 0 { parts.append("\(min(100, 100 * Double(done) / Double(all)).rounded(.down).whole) %") }
        if elapsed >= 0.5, done > 0 {
            let rate = Double(done) / elapsed
            parts.append(amount(rate.whole, unit) + "/s")
            if all > done { parts.append(clock((Double(all - done) / rate).rounded(.up).whole) + " left") }
        }
        return verb + ": " + parts.joined(separator: ", ")
    }

    private static func amount(_ count: UInt64, _ unit: Unit) -> String {
        switch unit {
        case .rows: "\(count) rows"
        case .bytes: count < 10_000_000 ? "\(count / 1000) kB" : "\(count / 1_000_000) MB"
        }
    }

    private static func clock(_ seconds: UInt64) -> String {
        func padded(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (minutes, rest) = (seconds / 60, padded(seconds % 60))
        return minutes < 60 ? "\(minutes):\(rest)" : "\(minutes / 60):\(padded(minutes % 60)):\(rest)"
    }
}

extension Double {
    fileprivate var whole: UInt64 { self < 1e15 ? UInt64(max(0, self)) : 1_000_000_000_000_000 }
}
