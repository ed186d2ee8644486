import MLS

/// LabeledExtract and LabeledExpand (RFC 9180 §4).
struct LabelledKDF: Sendable {
    let hash: HashFunction
    /// The beginning of every label.
    private let prefix: [UInt8]

    init(hash: HashFunction, suiteID: [UInt8]) {
        self.hash = hash
        prefix = Array("HPKE-v1".utf8) + suiteID
    }

    func extract(salt: Secret, label: StaticString, _ ikm: Secret) -> Secret {
        var labelled: [UInt8] = []
        append(label, to: &labelled, reserving: 0)
        return hash.extract(salt: salt, prefix: labelled, ikm)
    }

    /// The same for bytes that are not secret.
    func extract(salt: Secret, label: StaticString, _ ikm: [UInt8]) -> Secret {
        var labelled: [UInt8] = []
        append(label, to: &labelled, reserving: 0)
        return hash.extract(salt: salt, prefix: labelled, ikm)
    }

    /// `length` in bytes, at most 255 hash lengths.
    func expand(_ prk: Secret, label: StaticString, info: [UInt8], length: Int) -> Secret {
        var labelled = bigEndian(UInt16(truncatingIfNeeded: length))
        append(label, to: &labelled, reserving: info.count)
        labelled.append(contentsOf: info)
        return hash.expand(prk: prk, info: labelled, length: length)
    }

    private func append(_ label: StaticString, to bytes: inout [UInt8], reserving count: Int) {
        bytes.reserveCapacity(bytes.count + prefix.count + label.utf8CodeUnitCount + count)
        bytes.append(contentsOf: prefix)
        label.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}

extension Secret {
    /// No bytes: what HPKE uses for a missing salt or key.
    static let empty = Secret([])
}

func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
