/// The things of one kind that requests name by a number.
struct HandleTable<Value> {
    private let kind: String
    private var values: [Int: Value] = [:]

    /// - Parameter kind: what errors call a value.
    init(_ kind: String) { self.kind = kind }

    subscript(handle: Int) -> Value {
        get throws {
            guard let value = values[handle] else { throw unknown(handle) }
            return value
        }
    }

    mutating func insert(_ value: Value, as handle: Int) { values[handle] = value }

    mutating func remove(_ handle: Int) throws {
        if values.removeValue(forKey: handle) == nil { throw unknown(handle) }
    }

    /// Lends a value to be changed in place.
    mutating func update<R>(_ handle: Int, _ body: (inout Value) throws -> R) throws -> R {
        guard let index = values.index(forKey: handle) else { throw unknown(handle) }
        return try body(&values.values[index])
    }

    mutating func updateAll(_ body: (inout Value) -> Void) {
        for index in values.indices { body(&values.values[index]) }
    }

    private func unknown(_ handle: Int) -> PeerError { PeerError("there is no \(kind) \(handle)") }
}
