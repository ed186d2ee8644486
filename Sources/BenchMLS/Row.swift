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
    /// Runs the operation `repeats` times and says what that took; what has to be made ready before is not counted.
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

/// What a row came to, in seconds.
struct Outcome {
    let suite: CipherSuite
    let group: String
    let members: Int
    let row: Row
    let median: Double
    let best: Double
    let floor: Double?

    var ratio: Double? { floor.map { median / $0 } }

    /// Measures a row, each sample with the primitives of its floor right behind it, so that a clock that drifts hurts both alike.
    init(
        _ row: Row, suite: CipherSuite, group: String, members: Int, bare: BarePrimitives, budget: Double
    ) throws {
        self.suite = suite
        self.group = group
        self.members = members
        self.row = row
        var samples: [Double] = []
        var primitives: [Primitive: [Double]] = [:]
        let end = Clock.wall.now + budget
        _ = try row.measure()
        while samples.count < 5 || (Clock.wall.now < end && samples.count < 300) {
            samples.append(try row.measure() / Double(row.repeats))
            for primitive in row.floor?.counts.keys.map({ $0 }) ?? [] {
                primitives[primitive, default: []].append(try bare.seconds(primitive))
            }
        }
        median = samples.median
        best = samples.min() ?? median
        floor = row.floor?.seconds(primitives.mapValues(\.median))
    }
}
