import Metrics
import Synchronization

/// A backend of swift-metrics that keeps everything in memory and writes it in Prometheus's text format, version 0.0.4.
public final class PrometheusMetrics: MetricsFactory {
    fileprivate struct Key: Hashable {
        let name: String
        /// In the form of the text, `{a="b",c="d"}`, or empty.
        let labels: String
    }

    private let counters = Mutex<[Key: Total]>([:])
    private let gauges = Mutex<[Key: Gauge]>([:])
    private let histograms = Mutex<[Key: Histogram]>([:])

    public init() {}

    /// A counter; the same one for the same name and dimensions.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counters.withLock { $0.value(Key(label, dimensions), orInsert: Total()) }
    }

    /// A counter as well.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counters.withLock { $0.value(Key(label, dimensions), orInsert: Total()) }
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauges.withLock { $0.value(Key(label, dimensions), orInsert: Gauge()) }
    }

    /// A histogram if it aggregates, else a gauge.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            histograms.withLock { $0.value(Key(label, dimensions), orInsert: Histogram()) }
        } else {
            gauges.withLock { $0.value(Key(label, dimensions), orInsert: Gauge()) }
        }
    }

    /// A histogram of seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histograms.withLock { $0.value(Key(label + ".seconds", dimensions), orInsert: Histogram()) }
    }

    // What was counted stays: a scrape must not miss it.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything, sorted by name.
    public func text() -> String {
        var blocks: [String: (kind: String, lines: [String])] = [:]
        func add(_ key: Key, _ suffix: String, _ kind: String, _ lines: [String]) {
            blocks[key.name + suffix, default: (kind, [])].lines += lines
        }
        for (key, total) in counters.withLock({ $0 }) {
            add(key, "_total", "counter", ["\(key.name)_total\(key.labels) \(Self.format(total.value))"])
        }
        for (key, gauge) in gauges.withLock({ $0 }) {
            add(key, "", "gauge", ["\(key.name)\(key.labels) \(Self.format(gauge.value))"])
        }
        for (key, histogram) in histograms.withLock({ $0 }) {
            let (counts, sum) = histogram.snapshot()
            var lines: [String] = []
            var below: UInt64 = 0
            for (bound, count) in zip(Histogram.bounds.map(Self.format) + ["+Inf"], counts) {
                below += count
                lines.append("\(key.name)_bucket\(key.with(label: "le", bound)) \(below)")
            }
            lines.append("\(key.name)_sum\(key.labels) \(Self.format(sum))")
            lines.append("\(key.name)_count\(key.labels) \(below)")
            add(key, "", "histogram", lines)
        }
        return blocks.sorted { $0.key < $1.key }.map { name, block in
            let lines = block.kind == "histogram" ? block.lines : block.lines.sorted()
            return "# TYPE \(name) \(block.kind)\n" + lines.joined(separator: "\n") + "\n"
        }.joined()
    }

    private static func format(_ number: Double) -> String {
        number == number.rounded() && number.magnitude < 1e15 ? "\(Int64(number))" : "\(number)"
    }
}

extension PrometheusMetrics.Key {
    fileprivate init(_ label: String, _ dimensions: [(String, String)]) {
        name = Self.name(label)
        labels = dimensions.isEmpty ? "" : "{" + dimensions.map(Self.label).joined(separator: ",") + "}"
    }

    fileprivate func with(label: String, _ value: String) -> String {
        let own = Self.label((label, value))
        return labels.isEmpty ? "{\(own)}" : labels.dropLast() + ",\(own)}"
    }

    private static func label(_ pair: (String, String)) -> String {
        let value = pair.1.map { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.joined()
        return "\(name(pair.0))=\"\(value)\""
    }

    private static func name(_ text: String) -> String {
        let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber == true ? "_" + name : name
    }
}

extension Dictionary {
    fileprivate mutating func value(_ key: Key, orInsert new: @autoclosure () -> Value) -> Value {
        if let value = self[key] { return value }
        let value = new()
        self[key] = value
        return value
    }
}

private final class Total: CounterHandler, FloatingPointCounterHandler {
    private let state = Mutex(0.0)

    var value: Double { state.withLock { $0 } }
    func increment(by amount: Int64) { state.withLock { $0 += Double(amount) } }
    func increment(by amount: Double) { state.withLock { $0 += amount } }
    func reset() { state.withLock { $0 = 0 } }
}

private final class Gauge: MeterHandler, RecorderHandler {
    private let state = Mutex(0.0)

    var value: Double { state.withLock { $0 } }
    func set(_ value: Int64) { state.withLock { $0 = Double(value) } }
    func set(_ value: Double) { state.withLock { $0 = value } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
    func increment(by amount: Double) { state.withLock { $0 += amount } }
    func decrement(by amount: Double) { state.withLock { $0 -= amount } }
}

private final class Histogram: TimerHandler, RecorderHandler {
    /// In seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    private let state = Mutex((counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0.0))

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let place = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock {
            $0.counts[place] += 1
            $0.sum += value
        }
    }

    func snapshot() -> (counts: [UInt64], sum: Double) { state.withLock { $0 } }
}
