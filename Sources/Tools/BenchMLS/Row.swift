import MLS

/// One line of the table: an operation, and how it is measured.
struct Row {
    let name: String
    var floor: Floor?
    /// Bytes on the wire, or in the store.
    var bytes: Int?
    var clock: Clock = .thread
    /// How often the operation runs between two looks at the clock.
    var repeats = 1
    /// Runs the operation `repeats` times and returns how long that took, without the preparation.
    let measure: () throws -> Double

    /// The plain case: one call of `work` is one run.
    init(_ name: String, floor: Floor?, bytes: Int? = nil, repeats: Int = 1, _ work: @escaping () throws -> Void) {
        self.name = name
        self.floor = floor
        self.bytes = bytes
        self.repeats = repeats
        measure = { try Clock.thread.seconds { for _ in 0..<repeats { try work() } } }
    }

    init(
        _ name: String, floor: Floor?, bytes: Int? = nil, clock: Clock = .thread, repeats: Int = 1,
        measuring measure: @escaping () throws -> Double
    ) {
        self.name = name
        self.floor = floor
        self.bytes = bytes
        self.clock = clock
        self.repeats = repeats
        self.measure = measure
    }
}

/// The result of a row, in seconds.
struct Outcome {
    let suite: CipherSuite
    let group: String
    let members: Int
    let row: Row
    let median: Double
    let best: Double
    let floor: Double?

    /// The median of the samples' ratios, and the smallest of them.
    let ratio: Double?
    let bestRatio: Double?

    /// Measures a row. Each sample has the primitives of its floor right before and after it, for longer if the sample
    /// itself takes longer, so that a drifting clock hurts both alike.
    init(
        _ row: Row, suite: CipherSuite, group: String, members: Int, bare: BarePrimitives, budget: Double
    ) throws {
        self.suite = suite
        self.group = group
        self.members = members
        self.row = row
        var samples: [Double] = []
        var floors: [Double] = []
        let end = Clock.wall.now + budget
        var share = try row.measure() * 0.1
        while samples.count < 7 || (Clock.wall.now < end && samples.count < 300) {
            var costs: [Primitive: [Double]] = [:]
            try Self.measure(row.floor, with: bare, for: share, into: &costs)
            let took = try row.measure()
            share = took * 0.1
            try Self.measure(row.floor, with: bare, for: share, into: &costs)
            samples.append(took / Double(row.repeats))
            if let floor = row.floor { floors.append(floor.seconds(costs.mapValues(\.mean))) }
        }
        median = samples.median
        best = samples.min() ?? median
        floor = row.floor == nil ? nil : floors.median
        let ratios = zip(samples, floors).map { $0 / $1 }
        ratio = ratios.isEmpty ? nil : ratios.median
        bestRatio = ratios.min()
    }

    private static func measure(
        _ floor: Floor?, with bare: BarePrimitives, for seconds: Double, into costs: inout [Primitive: [Double]]
    ) throws {
        guard let floor else { return }
        let end = Clock.thread.now + seconds
        repeat {
            for primitive in floor.counts.keys { costs[primitive, default: []].append(try bare.seconds(primitive)) }
        } while Clock.thread.now < end
    }
}
