import ConclaveProtocol
import MLS

/// A record with a versioned binary form, as it is in a ``Store``.
protocol StoredRecord: Sendable {
    /// The newest version that is written; older ones are still read.
    static var version: UInt8 { get }
    /// The version that this record needs: if it holds nothing new, an older program can still read it.
    var neededVersion: UInt8 { get }
    init(from reader: inout TLSReader, version: UInt8) throws(MLSError)
    func encode(to writer: inout TLSWriter)
}

extension StoredRecord {
    var neededVersion: UInt8 { Self.version }

    /// Version byte, then the fields.
    var stored: [UInt8] {
        var writer = TLSWriter()
        writer.write(neededVersion)
        encode(to: &writer)
        return writer.bytes
    }

    /// - Throws: ``StoreError`` `corrupt`, or `newerFormat` if a newer program wrote the record.
    init(stored bytes: [UInt8]) throws(StoreError) {
        var reader = TLSReader(bytes)
        self = try Self.decode(&reader, end: bytes.count, Self.init(from:version:))
    }

    /// Reads the version, and the rest with `body`.
    ///
    /// - Parameter end: where the record has to end.
    /// - Throws: ``StoreError`` `corrupt`, or `newerFormat` if a newer program wrote the record.
    static func decode<Value>(
        _ reader: inout TLSReader, end: Int,
        _ body: (_ reader: inout TLSReader, _ version: UInt8) throws(MLSError) -> Value
    ) throws(StoreError) -> Value {
        do {
            let version = try reader.read(UInt8.self)
            if version > Self.version {
                throw StoreError(.newerFormat, "\(Self.self) was written by a newer version of Waxwing")
            }
            let value = try body(&reader, version)
            if reader.position != end { throw MLSError(.malformed, "it does not end where it should") }
            return value
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.corrupt, "a stored \(Self.self) is damaged")
        }
    }
}

extension TLSWriter {
    mutating func writeText(_ text: String) { writeOpaque(Array(text.utf8)) }

    mutating func writeOptionalOpaque(_ bytes: [UInt8]?) {
        write(UInt8(bytes == nil ? 0 : 1))
        if let bytes { writeOpaque(bytes) }
    }

    mutating func writeBool(_ value: Bool) { write(UInt8(value ? 1 : 0)) }
}

extension TLSReader {
    mutating func readOptionalOpaque() throws(MLSError) -> [UInt8]? {
        try readBool() ? try readOpaque() : nil
    }

    mutating func readBool() throws(MLSError) -> Bool {
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw MLSError(.malformed, "a flag is neither 0 nor 1")
        }
    }

    mutating func readID() throws(MLSError) -> ID {
        ID(high: try read(), low: try read())
    }

    mutating func readOptionalID() throws(MLSError) -> ID? {
        try readBool() ? try readID() : nil
    }
}

extension TLSWriter {
    mutating func writeID(_ id: ID) { writeRaw(id.bytes) }

    mutating func writeOptionalID(_ id: ID?) {
        writeBool(id != nil)
        if let id { writeID(id) }
    }
}

/// Eight bytes, big-endian, so that key order is number order.
func keyBytes(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
}
