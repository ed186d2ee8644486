import MLS

/// LabeledExtract and LabeledExpand (RFC 9180 §4).
struct LabelledKDF: Sendable {
    let hash: HashFunction
    let suiteID: [UInt8]

    func extract(salt: Secret, label: String, _ ikm: Secret) -> Secret {
        hash.extract(salt: salt, [.bytes(prefix + Array(label.utf8)), .secret(ikm)])
    }

    /// `length` in bytes, at most 255 hash lengths.
    func expand(_ prk: Secret, label: String, info: [UInt8], length: Int) -> Secret {
        let labelled = bigEndian(UInt16(truncatingIfNeeded: length)) + prefix + Array(label.utf8) + info
        return hash.expand(prk: prk, info: labelled, length: length)
    }

    private var prefix: [UInt8] { Array("HPKE-v1".utf8) + suiteID }
}

func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
