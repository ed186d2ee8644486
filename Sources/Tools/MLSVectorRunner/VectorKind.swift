import MLS

/// One of the official test vector files: what its cases look like and how one is checked.
public protocol VectorKind: Sendable {
    associatedtype Case: Decodable & Sendable

    /// The file's name without `.json`.
    static var name: String { get }
    /// Checks one case.
    ///
    /// - Throws: anything, if the case fails; ``VectorSkip`` if it needs something the engine does not offer.
    static func check(_ vector: Case, provider: any CryptoProvider) throws
}

/// Thrown by a check for a case that the engine does not claim to handle; counted apart from passes and failures.
public struct VectorSkip: Error, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }
    public var description: String { reason }
}

/// A value that is not what the vector says.
public struct VectorMismatch: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Compares a computed value with the vector's.
///
/// - Throws: ``VectorMismatch`` naming `what`.
public func expectEqual<T: Equatable>(_ actual: T, _ expected: T, _ what: String) throws {
    if actual != expected { throw VectorMismatch("\(what) differs: got \(actual), expected \(expected)") }
}

/// - Throws: ``VectorMismatch`` naming `what`, if it is not so.
public func expect(_ holds: Bool, _ what: String) throws {
    if !holds { throw VectorMismatch(what) }
}

extension Array {
    /// The entry at a place that follows from something else in the vector.
    ///
    /// - Throws: ``VectorMismatch`` if there is none.
    func entry(_ index: some BinaryInteger, of what: String) throws -> Element {
        guard let position = Int(exactly: index), indices.contains(position) else {
            throw VectorMismatch("\(what) has no entry \(index)")
        }
        return self[position]
    }
}

extension SuiteCrypto {
    /// A length that the vector wants derived.
    ///
    /// - Throws: ``VectorMismatch`` for one that HKDF cannot give.
    func derivable(_ length: Int) throws -> Int {
        try expect((0...255 * suite.hashLength).contains(length), "\(length) bytes cannot be derived")
        return length
    }
}

extension CryptoProvider {
    /// The suite of a vector's `cipher_suite` number.
    func vectorSuite(_ number: UInt16) throws -> any SuiteCrypto {
        guard let suite = CipherSuite(rawValue: number) else { throw VectorSkip("cipher suite \(number) is unknown") }
        return try self.suite(suite)
    }
}
